/* All of the public headers at once. */
#ifndef TORNADO_H
#define TORNADO_H

#include <tornado/concurrent.h>
#include <tornado/error.h>
#include <tornado/gen.h>
#include <tornado/httpclient.h>
#include <tornado/httpserver.h>
#include <tornado/ioloop.h>
#include <tornado/iostream.h>
#include <tornado/locks.h>
#include <tornado/log.h>
#include <tornado/netutil.h>
#include <tornado/process.h>
#include <tornado/queues.h>
#include <tornado/str.h>
#include <tornado/tcpclient.h>
#include <tornado/tcpserver.h>
#include <tornado/testing.h>
#include <tornado/tls.h>
#include <tornado/web.h>

#endif
