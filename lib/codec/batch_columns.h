// SPDX-License-Identifier: Apache-2.0
/* What both sides of the batch codec know: the columns, as named in proto/weft.proto. */
#ifndef WEFT_CODEC_BATCH_COLUMNS_H
#define WEFT_CODEC_BATCH_COLUMNS_H

#define BATCH_EACH_COLUMN(X)                                                                       \
    X(STRING_LENGTHS, string_lengths)                                                              \
    X(STRING_BYTES, string_bytes)                                                                  \
    X(ID_BLOCKS, id_blocks)                                                                        \
    X(TRACE_HI, trace_hi)                                                                          \
    X(TRACE_LO, trace_lo)                                                                          \
    X(SHAPES, shapes)                                                                              \
    X(PROCESS_RUNS, process_runs)                                                                  \
    X(BLOCK_RUNS, block_runs)                                                                      \
    X(SPAN_LOW, span_low)                                                                          \
    X(PARENT, parent)                                                                              \
    X(PARENT_LOW, parent_low)                                                                      \
    X(TRACE, trace)                                                                                \
    X(END, end)                                                                                    \
    X(DURATION, duration)                                                                          \
    X(SHAPE, shape)                                                                                \
    X(EXTRA, extra)                                                                                \
    X(VALUE_STRING, value_string)                                                                  \
    X(VALUE_INT, value_int)                                                                        \
    X(VALUE_DOUBLE, value_double)                                                                  \
    X(VALUE_BOOL, value_bool)                                                                      \
    X(EVENT_NAME, event_name)                                                                      \
    X(EVENT_TIME, event_time)                                                                      \
    X(EVENT_ATTRIBUTE_COUNT, event_attribute_count)                                                \
    X(LINK_IDS, link_ids)                                                                          \
    X(LINK_ATTRIBUTE_COUNT, link_attribute_count)                                                  \
    X(HANGING_KEYS, hanging_keys)                                                                  \
    X(METRICS, metrics)                                                                            \
    X(LABEL_SETS, label_sets)                                                                      \
    X(SERIES, series)                                                                              \
    X(SAMPLE_SERIES, sample_series)                                                                \
    X(SAMPLE_TIME, sample_time)                                                                    \
    X(SAMPLE_KIND, sample_kind)                                                                    \
    X(SAMPLE_INT, sample_int)                                                                      \
    X(SAMPLE_DOUBLE, sample_double)                                                                \
    X(HISTOGRAM_HEAD, histogram_head)                                                              \
    X(HISTOGRAM_NUMBERS, histogram_numbers)                                                        \
    X(HISTOGRAM_BUCKETS, histogram_buckets)                                                        \
    X(EXEMPLAR_SERIES, exemplar_series)                                                            \
    X(EXEMPLAR_TIME, exemplar_time)                                                                \
    X(EXEMPLAR_VALUE, exemplar_value)                                                              \
    X(EXEMPLAR_IDS, exemplar_ids)                                                                  \
    X(WINDOWS, windows)                                                                            \
    X(WINDOW_ENTRIES, window_entries)                                                              \
    X(WINDOW_HASHES, window_hashes)                                                                \
    X(WINDOW_REGISTERS, window_registers)

enum batch_column {
#define BATCH_COLUMN_ENUM(upper, lower) COLUMN_##upper,
    BATCH_EACH_COLUMN(BATCH_COLUMN_ENUM)
#undef BATCH_COLUMN_ENUM
        BATCH_COLUMNS
};

enum {
    ID_BLOCK_BYTES = 6,
    ID_LOW_BITS = 16,
    LINK_ID_BYTES = 24,
    VALUE_TYPE_BITS = 3, /* of a key-and-type */
};

#endif
