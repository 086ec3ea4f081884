/* formats/arrow_out: a view as the structs of the Arrow C interfaces, by a plan
 * (formats/arrow_plan, resolved).
 *
 * Columns are in Arrow's layout already, so rows in order are handed out without a
 * copy: each array holds a reference to the batch, which its release callback gives
 * back. Copied are columns without a kind of their own, rows in another order
 * (reversed, every second), and text whose offsets were asked for in 32 bits.
 *
 * What is handed out may be released in any order and by any thread, with or without
 * the GIL: nothing here knows Python. Children may be moved out and outlive their
 * parent. `out` is a struct to be filled, written on success only.
 *
 * The schema of a table's rows names its columns with their unit, description and
 * aggregation as metadata. Every field may be null: a file of another version or an
 * unfit cell read with strict=False may lack a value anywhere, and one schema for all
 * results is worth more than a flag that cannot be kept.
 */
#ifndef SS_FORMATS_ARROW_OUT_H
#define SS_FORMATS_ARROW_OUT_H

#include "formats/arrow_plan.h"

ss_status ss_arrow_out_schema(const ss_arrow_plan *plan, struct ArrowSchema *out,
                              ss_error *err) SS_MUST_CHECK;

ss_status ss_arrow_out_array(const ss_arrow_plan *plan, struct ArrowArray *out,
                             ss_error *err) SS_MUST_CHECK;

/* One array with all rows, also when there are none: some consumers take the types from
 * the arrays alone. Takes the plan, on success. */
ss_status ss_arrow_out_stream(ss_arrow_plan *plan, struct ArrowArrayStream *out,
                              ss_error *err) SS_MUST_CHECK;

#endif
