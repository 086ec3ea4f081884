/* base/moment: days and instants, to and from text, and calendar windows.
 *
 * Pure functions; any thread, no locale, no allocation, no time zone data.  A text cell
 * is parsed once per row read, a million times per large fetch, so the canonical forms
 * (10, 19 and 26 bytes) take one straight path: digits are gathered without branches
 * and all their checks are joined into one.  Everything else goes the long way round.
 * Refuses what the calendar does not have: no 30th of February, no hour 24, no leap
 * second, nothing outside the years 1 to 9999 after the offset was applied.
 */
#include "base/moment.h"

#include "base/digits.h"

#include <string.h> // memcmp(), memcpy()

#include <assert.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)

/* ---- the calendar ---- */

static inline bool
leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int
ss_days_in_month(int year, int month)
{
    static const signed char days[12] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};

    return month == 2 && leap(year) ? 29 : days[month - 1];
}

bool
ss_civil_valid(int year, int month, int day)
{
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= ss_days_in_month(year, month);
}

/* Years begin in March here, so that the leap day is the last of the year; an era is
 * 400 years of 146,097 days; 719,468 days lie between 0000-03-01 and the epoch. Takes
 * the year 0 too, for windows that begin on 0001-01-01. */
int32_t
ss_day_from_civil(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int month_of_year = month > 2 ? month - 3 : month + 9;
    int day_of_year = (153 * month_of_year + 2) / 5 + day - 1;
    int day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (int32_t)(era * 146097 + day_of_era - 719468);
}

ss_civil
ss_civil_from_day(int32_t day)
{
    int64_t z = (int64_t)day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int doe = (int)(z - era * 146097); /* day of era */
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153; /* month, March is 0 */
    ss_civil out;

    out.day = doy - (153 * mp + 2) / 5 + 1;
    out.month = mp < 10 ? mp + 3 : mp - 9;
    out.year = (int)(era * 400) + yoe + (out.month <= 2);
    return out;
}

/* ---- reading ---- */

/* Two digits as a number; anything else sets a bit in *bad. */
static inline unsigned
two(const char *s, unsigned *bad)
{
    unsigned a = (unsigned)(unsigned char)s[0] - '0';
    unsigned b = (unsigned)(unsigned char)s[1] - '0';

    *bad |= (unsigned)(a > 9) | (unsigned)(b > 9);
    return a * 10 + b;
}

/* The ten bytes of YYYY-MM-DD. */
static inline bool
read_day(const char *s, int32_t *out)
{
    unsigned bad = 0;
    unsigned year = two(s, &bad) * 100 + two(s + 2, &bad);
    unsigned month = two(s + 5, &bad);
    unsigned day = two(s + 8, &bad);

    bad |= (unsigned)(s[4] != '-') | (unsigned)(s[7] != '-');
    /* Non-digits make the three meaningless, hence the order of the tests. */
    if (bad != 0 || !ss_civil_valid((int)year, (int)month, (int)day)) {
        return false;
    }
    *out = ss_day_from_civil((int)year, (int)month, (int)day);
    return true;
}

/* The eight bytes of HH:MM:SS, in microseconds. */
static inline bool
read_clock(const char *s, int64_t *out)
{
    unsigned bad = 0;
    unsigned hour = two(s, &bad);
    unsigned minute = two(s + 3, &bad);
    unsigned second = two(s + 6, &bad);

    bad |= (unsigned)(s[2] != ':') | (unsigned)(s[5] != ':') | (unsigned)(hour > 23) |
           (unsigned)(minute > 59) | (unsigned)(second > 59);
    *out = (int64_t)(hour * 3600 + minute * 60 + second) * US_PER_SECOND;
    return bad == 0;
}

static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits after the point, at least one; *at moves past them. */
static bool
read_fraction(const char *s, size_t n, size_t *at, int64_t *us)
{
    size_t begin = *at, i = begin;
    int64_t scale = US_PER_SECOND / 10;

    for (*us = 0; i < n && is_digit(s[i]); i++) {
        *us += scale * (s[i] - '0');
        scale /= 10;
    }
    *at = i;
    return i > begin;
}

/* Z, +HH, +HHMM or +HH:MM up to the end of the text; none means UTC. */
static bool
read_offset(const char *s, size_t n, int64_t *us)
{
    unsigned bad = 0, hour, minute = 0;

    *us = 0;
    if (n == 0 || (n == 1 && s[0] == 'Z')) {
        return true;
    }
    if ((s[0] != '+' && s[0] != '-') || (n != 3 && n != 5 && n != 6) ||
        (n == 6 && s[3] != ':')) {
        return false;
    }
    hour = two(s + 1, &bad);
    if (n > 3) {
        minute = two(s + n - 2, &bad);
    }
    if (bad != 0 || hour > 23 || minute > 59) {
        return false;
    }
    *us = (int64_t)hour * US_PER_HOUR + (int64_t)minute * US_PER_MINUTE;
    if (s[0] == '-') {
        *us = -*us;
    }
    return true;
}

/* What follows the minutes' place: the forms that are not canonical. */
static bool
read_rest(const char *s, size_t n, int64_t *us)
{
    char clock[8] = {0, 0, 0, 0, 0, ':', '0', '0'};
    int64_t fraction = 0, offset;
    size_t at = 5;

    if (n < 5) {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        clock[i] = s[i];
    }
    if (n >= 8 && s[5] == ':') {
        clock[6] = s[6];
        clock[7] = s[7];
        at = 8;
        if (n > 8 && s[8] == '.') {
            at = 9;
            if (!read_fraction(s, n, &at, &fraction)) {
                return false;
            }
        }
    }
    if (!read_clock(clock, us) || !read_offset(s + at, n - at, &offset)) {
        return false;
    }
    *us += fraction - offset;
    return true;
}

static inline bool
read_six(const char *s, int64_t *us)
{
    unsigned bad = (unsigned)(s[0] != '.');
    unsigned high = two(s + 1, &bad), middle = two(s + 3, &bad), low = two(s + 5, &bad);

    *us = (int64_t)(high * 10000 + middle * 100 + low);
    return bad == 0;
}

/* The instant whose text begins with `day`. */
static inline bool
instant_of_day(const char *s, size_t n, int32_t day, int64_t *out)
{
    int64_t clock = 0, fraction = 0, us;

    if (n > 10) {
        if (s[10] != ' ' && s[10] != 'T') {
            return false;
        }
        /* Other forms have these lengths too (05:42:44.398+05): the long way then. */
        bool canonical = (n == 19 || n == 26) && read_clock(s + 11, &clock) &&
                         (n == 19 || read_six(s + 19, &fraction));
        if (!canonical) {
            fraction = 0;
            if (!read_rest(s + 11, n - 11, &clock)) {
                return false;
            }
        }
    }
    us = (int64_t)day * SS_US_PER_DAY + clock + fraction;
    if (us < (int64_t)SS_DAY_MIN * SS_US_PER_DAY ||
        us >= ((int64_t)SS_DAY_MAX + 1) * SS_US_PER_DAY) {
        return false;
    }
    *out = us;
    return true;
}

bool
ss_instant_parse(const char *s, size_t n, int64_t *out)
{
    int32_t day;

    return n >= 10 && read_day(s, &day) && instant_of_day(s, n, day, out);
}

bool
ss_instant_parse_next(const char *s, size_t n, ss_day_memo *memo, int64_t *out)
{
    if (n < 10) {
        return false;
    }
    if (!memo->known || memcmp(s, memo->text, sizeof(memo->text)) != 0) {
        if (!read_day(s, &memo->day)) {
            memo->known = false;
            return false;
        }
        memcpy(memo->text, s, sizeof(memo->text));
        memo->known = true;
    }
    return instant_of_day(s, n, memo->day, out);
}

bool
ss_day_parse(const char *s, size_t n, int32_t *out)
{
    int64_t us;

    if (n == 10) {
        return read_day(s, out);
    }
    if (!ss_instant_parse(s, n, &us)) {
        return false;
    }
    *out = ss_day_of_instant(us);
    return true;
}

/* ---- writing ---- */

static void
write_day(int32_t day, char *to)
{
    assert(day >= SS_DAY_MIN && day <= SS_DAY_MAX);
    ss_civil c = ss_civil_from_day(day);

    to = ss_digits_fixed((uint64_t)c.year, 4, to);
    *to++ = '-';
    to = ss_digits_two((uint32_t)c.month, to);
    *to++ = '-';
    ss_digits_two((uint32_t)c.day, to);
}

char *
ss_day_put(int32_t day, ss_day_text *memo, char *to)
{
    if (!memo->known || memo->day != day) {
        write_day(day, memo->text);
        memo->day = day;
        memo->known = true;
    }
    memcpy(to, memo->text, sizeof(memo->text));
    return to + sizeof(memo->text);
}

char *
ss_instant_put(int64_t us, char between, ss_day_text *memo, char *to)
{
    int32_t day = ss_day_of_instant(us);
    int64_t rest = us - (int64_t)day * SS_US_PER_DAY;
    uint32_t second = (uint32_t)(rest / US_PER_SECOND);
    uint32_t fraction = (uint32_t)(rest % US_PER_SECOND);

    to = ss_day_put(day, memo, to);
    *to++ = between;
    to = ss_digits_two(second / 3600, to);
    *to++ = ':';
    to = ss_digits_two(second / 60 % 60, to);
    *to++ = ':';
    to = ss_digits_two(second % 60, to);
    if (fraction == 0) {
        return to;
    }
    *to++ = '.';
    to = ss_digits_two(fraction / 10000, to);
    to = ss_digits_two(fraction / 100 % 100, to);
    return ss_digits_two(fraction % 100, to);
}

size_t
ss_day_format(int32_t day, char out[SS_DAY_TEXT])
{
    write_day(day, out);
    out[10] = '\0';
    return 10;
}

size_t
ss_instant_format(int64_t us, char out[SS_INSTANT_TEXT])
{
    ss_day_text memo = {.known = false};
    char *end = ss_instant_put(us, ' ', &memo, out);

    *end = '\0';
    return (size_t)(end - out);
}
