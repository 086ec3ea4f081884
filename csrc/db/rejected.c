/* db/rejected: the table `_rejected`, which keeps whole what a migration had no place
 * for. */
#include "db/rejected.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <string.h> // strlen()

ss_status
ss_rejected_create(ss_conn *conn, ss_error *err)
{
    return ss_conn_exec(
        conn,
        "CREATE TABLE IF NOT EXISTS _rejected (id INTEGER PRIMARY KEY, table_name TEXT "
        "NOT NULL, row_id INTEGER, reason TEXT NOT NULL, row TEXT NOT NULL, "
        "rejected_at TIMESTAMP NOT NULL)",
        err);
}

ss_status
ss_rejected_prepare(ss_conn *conn, ss_stmt **out, ss_error *err)
{
    static const char sql[] = "INSERT INTO _rejected (table_name, row_id, reason, row, "
                              "rejected_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    return ss_stmt_prepare(conn, sql, sizeof(sql) - 1, true, out, err);
}

static void
json_text(ss_buf *json, const char *s, size_t n)
{
    ss_buf_add(json, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') {
            ss_buf_printf(json, "\\%c", c);
        }
        else if (c < 0x20) {
            ss_buf_printf(json, "\\u%04x", c);
        }
        else {
            ss_buf_add(json, &s[i], 1);
        }
    }
    ss_buf_add(json, "\"", 1);
}

/* What JSON has no word for is {"hex": "..."}: blobs, and text that is not UTF-8. */
static void
json_cell(ss_buf *json, const ss_value *cell)
{
    static const char digits[] = "0123456789abcdef";
    char shown[40];
    switch (cell->tag) {
    case SS_VALUE_TEXT:
    case SS_VALUE_BLOB:
        if (cell->tag == SS_VALUE_TEXT && ss_utf8_valid(cell->as.s.p, cell->as.s.n)) {
            json_text(json, cell->as.s.p, cell->as.s.n);
            return;
        }
        ss_buf_puts(json, "{\"hex\": \"");
        for (size_t i = 0; i < cell->as.s.n; i++) {
            unsigned char byte = (unsigned char)cell->as.s.p[i];
            const char hex[] = {digits[byte >> 4], digits[byte & 15]};
            ss_buf_add(json, hex, 2);
        }
        ss_buf_puts(json, "\"}");
        return;
    case SS_VALUE_REAL: /* SQLite stores no NaN; an infinity is 9e999, as in its shell */
        sqlite3_snprintf(sizeof(shown), shown, "%!.17g", cell->as.r);
        ss_buf_puts(json, cell->as.r - cell->as.r == 0 ? shown
                          : cell->as.r > 0             ? "9e999"
                                                       : "-9e999");
        return;
    case SS_VALUE_INT:
        ss_buf_printf(json, "%lld", (long long)cell->as.i);
        return;
    case SS_VALUE_NULL:
    case SS_VALUE_DATE:
    case SS_VALUE_TIMESTAMP:
        break;
    }
    ss_buf_puts(json, "null");
}

static void
json_row(ss_buf *json, const ss_rejected_row *row)
{
    for (int i = 0; i < row->n_columns; i++) {
        ss_buf_puts(json, i > 0 ? ", " : "{");
        json_text(json, row->names[i], strlen(row->names[i]));
        ss_buf_puts(json, ": ");
        json_cell(json, &row->cells[i]);
    }
    ss_buf_puts(json, "}");
}

static ss_status
keep(ss_stmt *stmt, const ss_rejected_row *row, const ss_buf *json, const char *reason,
     const ss_value *now, ss_error *err)
{
    bool found;
    const ss_value values[] = {
        ss_value_text(row->table),
        {.tag = SS_VALUE_INT, .as.i = row->id},
        ss_value_text(reason),
        {.tag = SS_VALUE_TEXT, .as.s = {.p = json->data, .n = json->size}},
        *now,
    };
    SS_TRY(ss_stmt_bind_all(stmt, values, 5, err));
    return ss_stmt_step(stmt, "keeping a row in _rejected", &found, err);
}

ss_status
ss_rejected_keep(ss_stmt *stmt, const ss_rejected_row *row, const char *reason,
                 const ss_value *now, ss_error *err)
{
    ss_buf json;
    ss_buf_init(&json);
    json_row(&json, row);
    ss_status status = ss_buf_ok(&json) ? keep(stmt, row, &json, reason, now, err)
                                        : ss_error_nomem(err);
    ss_stmt_reset(stmt);
    ss_buf_free(&json);
    return status;
}
