/* Dates: what was read is written and read again to the same second. */
#include "fuzz.h"

#include "http/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int64_t now = 0, seconds, again; /* the clock is the input's last bytes */
    if (n >= sizeof now) memcpy(&now, data + n - sizeof now, sizeof now);
    tn_str whole = tn_str_of(data, n), text = {whole.p, n >= sizeof now ? n - sizeof now : 0};
    char out[TN__DATE_BYTES];
    if (tn__date_parse(whole, 1782864000, &seconds) == 0 || tn__date_parse(text, now, &seconds) == 0) {
        tn__date_format(out, seconds);
        REQUIRE(tn__date_parse(tn_str_of(out, sizeof out), now, &again) == 0);
        REQUIRE(again == seconds || seconds > 253402300799); /* a leap second behind the last year */
    }
    tn__date_format(out, now);
    REQUIRE(tn__date_parse(tn_str_of(out, sizeof out), 0, &again) == 0);
    return 0;
}
