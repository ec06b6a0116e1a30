/* Scanning: every form against the plain loop, at every length and offset, with every byte. */
#include "http/scan.h"
#include "test.h"

typedef const char *scan_fn(const char *p, const char *end);

static const struct {
    const char *name;
    scan_fn *fn;
    int class;
    char plain; /* a byte of the class */
} scans[] = {
    {"token", tn__scan_token, TN__BYTE_TOKEN, 'a'},
    {"value", tn__scan_value, TN__BYTE_VALUE, 'a'},
    {"target", tn__scan_target, TN__BYTE_TARGET, 'a'},
    {"long value", tn__scan_value_long, TN__BYTE_VALUE, 'a'},
    {"long target", tn__scan_target_long, TN__BYTE_TARGET, 'a'},
#if defined(__SSE2__)
    {"value by 16", tn__scan_value_sse2, TN__BYTE_VALUE, 'a'},
    {"target by 16", tn__scan_target_sse2, TN__BYTE_TARGET, 'a'},
#endif
    {"rare token", tn__scan_token, TN__BYTE_TOKEN, '_'},
    {"high value", tn__scan_value, TN__BYTE_VALUE, '\xff'},
    {"value of tabs", tn__scan_value, TN__BYTE_VALUE, '\t'},
};
enum { SCANS = sizeof scans / sizeof *scans, LEN_MAX = 100 };

static void agree(size_t scan, const char *p, const char *end)
{
    const char *expected = tn__scan_scalar(p, end, scans[scan].class);
    const char *actual = scans[scan].fn(p, end);
    if (actual != expected) {
        fail_msg("%s: %td instead of %td in a run of %td", scans[scan].name, actual - p, expected - p, end - p);
    }
}

/* The bytes end where the allocation ends, and begin where it begins: a read outside is seen by the address sanitizer. */
TEST(scan, finds_the_same_end_as_the_plain_loop_for_every_length_and_place)
{
    for (size_t scan = 0; scan < SCANS; scan++) {
        for (size_t n = 0; n <= LEN_MAX; n++) {
            char *bytes = malloc(n + !n);
            memset(bytes, scans[scan].plain, n);
            agree(scan, bytes, bytes + n);
            assert_ptr_equal(scans[scan].fn(bytes, bytes + n), bytes + n);
            for (size_t at = 0; at < n; at++) {
                bytes[at] = '\r';
                agree(scan, bytes, bytes + n);
                agree(scan, bytes + at / 2, bytes + n);
                bytes[at] = scans[scan].plain;
            }
            free(bytes);
        }
    }
}

TEST(scan, gives_every_byte_its_class_in_every_lane)
{
    char bytes[LEN_MAX];
    for (size_t scan = 0; scan < SCANS; scan++) {
        memset(bytes, scans[scan].plain, sizeof bytes);
        for (size_t at = 0; at < sizeof bytes; at++) {
            for (int byte = 0; byte < 256; byte++) {
                bytes[at] = (char)byte;
                agree(scan, bytes, bytes + sizeof bytes);
            }
            bytes[at] = scans[scan].plain;
        }
    }
}

TEST(scan, stops_at_the_first_of_several_ends)
{
    for (size_t scan = 0; scan < SCANS; scan++) {
        char bytes[64];
        memset(bytes, scans[scan].plain, sizeof bytes);
        for (size_t i = 5; i < sizeof bytes; i += 3) bytes[i] = '\n';
        assert_ptr_equal(scans[scan].fn(bytes, bytes + sizeof bytes), bytes + 5);
    }
}

static bool in(int byte, const char *set)
{
    return byte && strchr(set, byte);
}

TEST(byte_class, is_that_of_the_rfcs)
{
    for (int i = 0; i < 256; i++) {
        bool digit = i >= '0' && i <= '9', letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z'),
             visible = i > 0x20 && i < 0x7f;
        char c = (char)i;
        assert_int_equal(tn__byte_is(c, TN__BYTE_TOKEN), digit || letter || in(i, "!#$%&'*+-.^_`|~"));
        assert_int_equal(tn__byte_is(c, TN__BYTE_VALUE), visible || i == ' ' || i == '\t' || i >= 0x80);
        assert_int_equal(tn__byte_is(c, TN__BYTE_TARGET), visible && i != '#');
        assert_int_equal(tn__byte_is(c, TN__BYTE_WIDE), visible || i >= 0x80);
        assert_int_equal(tn__byte_is(c, TN__BYTE_HOST), digit || letter || in(i, "-._~!$&'()*+,;="));
        assert_int_equal(tn__byte_is(c, TN__BYTE_HEX), in(i, "0123456789abcdefABCDEF"));
    }
}
