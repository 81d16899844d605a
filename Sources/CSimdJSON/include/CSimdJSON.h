#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a named field of one JSON object holds.
enum weir_json_kind {
  WEIR_JSON_ABSENT = 0,
  WEIR_JSON_NULL = 1,
  /// `number` is its value, `text` its characters as written.
  WEIR_JSON_NUMBER = 2,
  /// A number token that no double can hold; `text` is the token.
  WEIR_JSON_BAD_NUMBER = 3,
  WEIR_JSON_TEXT = 4,
  WEIR_JSON_TRUE = 5,
  WEIR_JSON_FALSE = 6,
  /// An object or an array.
  WEIR_JSON_NESTED = 7,
};

typedef struct weir_json_value {
  const char *text;
  double number;
  uint32_t length;
  int32_t kind;
} weir_json_value;

typedef struct weir_json_decoder weir_json_decoder;

/// A decoder for the given field names; several names may share a column (aliases). Null when out
/// of memory.
weir_json_decoder *weir_json_decoder_create(const char *const *names, const int32_t *columns,
                                            size_t count, size_t column_count);
void weir_json_decoder_destroy(weir_json_decoder *decoder);

/// Decodes one JSON object into `values` (one per column). Text stays valid until the next call.
/// Returns 0, or an error number for `weir_json_error_text`. Nothing is allocated once the decoder
/// has seen an object of the largest size. `column` names the field given twice, if that is the
/// error.
int weir_json_decode(weir_json_decoder *decoder, const char *bytes, size_t length,
                     weir_json_value *values, int32_t *column);

/// The text of an error number: never null, static.
const char *weir_json_error_text(int error);

/// The error number for a field that is given twice.
extern const int weir_json_error_repeated;

#ifdef __cplusplus
}
#endif
