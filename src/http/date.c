/*
 * Dates, by hand: strftime and strptime listen to the locale, timegm is not everywhere, and both cost more than this.
 *
 * Days are counted in the proleptic Gregorian calendar with years that begin in March, so that a leap day is the last day of its
 * year and the months have fixed offsets.
 */
#include "date.h"

#include "tornado/error.h"

static const char week_days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_week_days[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097 /* of 400 years */, EPOCH_DAYS = 719468 /* 0000-03-01 to 1970-01-01 */ };

static const int64_t seconds_min = -62167219200; /* 0000-01-01 00:00:00 */
static const int64_t seconds_max = 253402300799; /* 9999-12-31 23:59:59 */

typedef struct moment {
    int year, month, day; /* month 1 to 12 */
    int hour, minute, second;
} moment;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(int year, int month, int day)
{
    int march_year = year - (month <= 2);
    int march_month = (month + 9) % 12;
    int64_t era = floor_div(march_year, 400);
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1; /* 153 days in each five months from March on */
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_DAYS;
}

static moment moment_of(int64_t seconds)
{
    int64_t days = floor_div(seconds, DAY_SECONDS);
    int second_of_day = (int)(seconds - days * DAY_SECONDS);
    days += EPOCH_DAYS;
    int64_t era = floor_div(days, ERA_DAYS);
    int64_t day_of_era = days - era * ERA_DAYS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = (int)(day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100));
    int march_month = (5 * day_of_year + 2) / 153;

    moment m;
    m.day = day_of_year - (153 * march_month + 2) / 5 + 1;
    m.month = march_month < 10 ? march_month + 3 : march_month - 9;
    m.year = (int)(year_of_era + era * 400) + (m.month <= 2);
    m.hour = second_of_day / 3600;
    m.minute = second_of_day / 60 % 60;
    m.second = second_of_day % 60;
    return m;
}

static int64_t seconds_of(const moment *m)
{
    return days_of(m->year, m->month, m->day) * DAY_SECONDS + m->hour * 3600 + m->minute * 60 + m->second;
}

static void put2(char *out, int n)
{
    out[0] = (char)('0' + n / 10);
    out[1] = (char)('0' + n % 10);
}

void tn__date_format(char out[TN__DATE_BYTES], int64_t seconds)
{
    if (seconds < seconds_min) seconds = seconds_min;
    if (seconds > seconds_max) seconds = seconds_max;
    moment m = moment_of(seconds);
    int64_t week_day = (floor_div(seconds, DAY_SECONDS) + 4) % 7; /* 1970-01-01 was a Thursday */
    if (week_day < 0) week_day += 7;

    memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", TN__DATE_BYTES);
    memcpy(out, week_days[week_day], 3);
    put2(out + 5, m.day);
    memcpy(out + 8, months[m.month - 1], 3);
    put2(out + 12, m.year / 100);
    put2(out + 14, m.year % 100);
    put2(out + 17, m.hour);
    put2(out + 20, m.minute);
    put2(out + 23, m.second);
}

/*
 * The parser reads one piece after the other. The first that does not fit makes `p` NULL, after which nothing is read any more, so
 * only the end needs to look.
 */
typedef struct reader {
    const char *p, *end;
} reader;

static void read_text(reader *r, const char *text)
{
    size_t n = strlen(text);
    if (!r->p || (size_t)(r->end - r->p) < n || memcmp(r->p, text, n) != 0)
        r->p = NULL;
    else
        r->p += n;
}

static int read_digits(reader *r, int n)
{
    if (!r->p || r->end - r->p < n) {
        r->p = NULL;
        return 0;
    }
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (r->p[i] < '0' || r->p[i] > '9') {
            r->p = NULL;
            return 0;
        }
        value = value * 10 + (r->p[i] - '0');
    }
    r->p += n;
    return value;
}

/* Index of the three-letter name that comes next. */
static int read_name(reader *r, const char (*names)[4], int n)
{
    for (int i = 0; r->p && r->end - r->p >= 3 && i < n; i++) {
        if (memcmp(r->p, names[i], 3) == 0) {
            r->p += 3;
            return i;
        }
    }
    r->p = NULL;
    return 0;
}

static void read_clock(reader *r, moment *m)
{
    m->hour = read_digits(r, 2);
    read_text(r, ":");
    m->minute = read_digits(r, 2);
    read_text(r, ":");
    m->second = read_digits(r, 2);
}

/* IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT" */
static void read_fixdate(reader *r, moment *m)
{
    read_name(r, week_days, 7);
    read_text(r, ", ");
    m->day = read_digits(r, 2);
    read_text(r, " ");
    m->month = read_name(r, months, 12) + 1;
    read_text(r, " ");
    m->year = read_digits(r, 4);
    read_text(r, " ");
    read_clock(r, m);
    read_text(r, " GMT");
}

/* rfc850-date: "Sunday, 06-Nov-94 08:49:37 GMT" */
static void read_rfc850(reader *r, moment *m)
{
    int name = 0;
    while (name < 6 && !tn_str_starts(tn_str_of(r->p, (size_t)(r->end - r->p)), tn_z(long_week_days[name]))) name++;
    read_text(r, long_week_days[name]);
    read_text(r, ", ");
    m->day = read_digits(r, 2);
    read_text(r, "-");
    m->month = read_name(r, months, 12) + 1;
    read_text(r, "-");
    m->year = read_digits(r, 2);
    read_text(r, " ");
    read_clock(r, m);
    read_text(r, " GMT");
}

/* asctime-date: "Sun Nov  6 08:49:37 1994" */
static void read_asctime(reader *r, moment *m)
{
    read_name(r, week_days, 7);
    read_text(r, " ");
    m->month = read_name(r, months, 12) + 1;
    read_text(r, " ");
    bool one_digit = r->p && r->p < r->end && *r->p == ' ';
    if (one_digit) read_text(r, " ");
    m->day = read_digits(r, one_digit ? 1 : 2);
    read_text(r, " ");
    read_clock(r, m);
    read_text(r, " ");
    m->year = read_digits(r, 4);
}

/* 60 is a leap second, RFC 9110, 5.6.7; it counts as the first of the next minute. */
static bool is_real(const moment *m)
{
    static const int month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = m->year % 4 == 0 && (m->year % 100 != 0 || m->year % 400 == 0);
    int days = month_days[m->month - 1] + (m->month == 2 && leap);
    return m->day >= 1 && m->day <= days && m->hour <= 23 && m->minute <= 59 && m->second <= 60;
}

/*
 * RFC 9110, 5.6.7: a two-digit year that seems to be more than 50 years ahead is the most recent one in the past. The result has four
 * digits, whatever the clock says.
 */
static void choose_century(moment *m, int64_t now)
{
    moment limit = moment_of(now);
    m->year += limit.year - limit.year % 100 + 100;
    limit.year += 50;
    while (m->year >= 100 && (m->year > 9999 || seconds_of(m) > seconds_of(&limit))) m->year -= 100;
}

int tn__date_parse(tn_str text, int64_t now, int64_t *seconds)
{
    if (text.n < 4) return TN_ESYNTAX;
    if (now < seconds_min) now = seconds_min;
    if (now > seconds_max) now = seconds_max;
    reader r = {text.p, text.p + text.n};
    moment m = {0};
    bool rfc850 = text.p[3] != ',' && text.p[3] != ' ';
    if (rfc850)
        read_rfc850(&r, &m);
    else if (text.p[3] == ',')
        read_fixdate(&r, &m);
    else
        read_asctime(&r, &m);
    if (!r.p || r.p != r.end) return TN_ESYNTAX;
    if (rfc850) choose_century(&m, now);
    if (!is_real(&m)) return TN_ESYNTAX;
    *seconds = seconds_of(&m);
    return TN_OK;
}
