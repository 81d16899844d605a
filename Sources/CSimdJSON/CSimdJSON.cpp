#include "CSimdJSON.h"

#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ondemand = simdjson::ondemand;

namespace {
constexpr int errorRepeated = 1000;
constexpr int errorNotAnObject = 1001;
constexpr int errorMemory = 1002;
}  // namespace

const int weir_json_error_repeated = errorRepeated;

struct weir_json_decoder {
  ondemand::parser parser;
  // simdjson reads up to SIMDJSON_PADDING bytes past the end, so an event is copied here first:
  // the bytes of a record may end where the memory map does.
  std::vector<char> buffer;
  std::vector<std::string> names;
  /// Whether JSON spells a name as it is, and within the padding.
  std::vector<bool> isPlain;
  std::vector<int32_t> columns;
  std::unordered_map<std::string_view, size_t> index;
  size_t columnCount;

  /// Producers write fields in the same order each time: try the name after the last one first, as
  /// it is spelled without escapes. Reads one byte more than the name has, at most into the padding.
  int32_t expectedColumn(ondemand::raw_json_string key, size_t &expected) const {
    if (expected >= names.size()) return -1;
    const std::string &name = names[expected];
    if (!isPlain[expected] || key.raw()[name.size()] != '"' ||
        std::memcmp(key.raw(), name.data(), name.size()) != 0) {
      return -1;
    }
    return columns[expected++];
  }

  int32_t column(std::string_view key, size_t &expected) const {
    auto found = index.find(key);
    if (found == index.end()) return -1;
    expected = found->second + 1;
    return columns[found->second];
  }
};

namespace {

/// `is_null` returns a plain bool in some simdjson releases and a result in others.
bool isNull(bool answer) { return answer; }
bool isNull(simdjson::simdjson_result<bool> &&answer) {
  bool truth = false;
  return !std::move(answer).get(truth) && truth;
}

std::string_view trimmed(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                            token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return token;
}

/// Whether the token is a number by JSON's grammar, whatever its size.
bool isNumberToken(std::string_view token) {
  size_t i = 0;
  auto digits = [&] {
    size_t start = i;
    while (i < token.size() && token[i] >= '0' && token[i] <= '9') i++;
    return i - start;
  };
  if (i < token.size() && token[i] == '-') i++;
  size_t lead = i;
  size_t integer = digits();
  if (integer == 0 || (integer > 1 && token[lead] == '0')) return false;
  if (i < token.size() && token[i] == '.') {
    i++;
    if (digits() == 0) return false;
  }
  if (i < token.size() && (token[i] == 'e' || token[i] == 'E')) {
    i++;
    if (i < token.size() && (token[i] == '+' || token[i] == '-')) i++;
    if (digits() == 0) return false;
  }
  return i == token.size();
}

/// On-demand parsing checks only what is read. A broken event must be refused wherever it is
/// broken, so values nobody asked for are read too.
simdjson::error_code validate(ondemand::value value) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::object: {
      ondemand::object object;
      if (auto error = value.get_object().get(object)) return error;
      for (auto field : object) {
        std::string_view key;
        if (auto error = field.unescaped_key().get(key)) return error;
        ondemand::value inner;
        if (auto error = field.value().get(inner)) return error;
        if (auto error = validate(inner)) return error;
      }
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::array: {
      ondemand::array array;
      if (auto error = value.get_array().get(array)) return error;
      for (auto element : array) {
        ondemand::value inner;
        if (auto error = element.get(inner)) return error;
        if (auto error = validate(inner)) return error;
      }
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::string: {
      std::string_view text;
      return value.get_string().get(text);
    }
    case ondemand::json_type::number:
      return isNumberToken(trimmed(value.raw_json_token())) ? simdjson::SUCCESS
                                                             : simdjson::NUMBER_ERROR;
    case ondemand::json_type::boolean: {
      bool truth;
      return value.get_bool().get(truth);
    }
    default:
      return isNull(value.is_null()) ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
  }
}

simdjson::error_code read(ondemand::value value, weir_json_value &out) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::number: {
      std::string_view token = trimmed(value.raw_json_token());
      out.text = token.data();
      out.length = static_cast<uint32_t>(token.size());
      auto error = value.get_double().get(out.number);
      if (error && !isNumberToken(token)) return error;
      out.kind = error ? WEIR_JSON_BAD_NUMBER : WEIR_JSON_NUMBER;
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::string: {
      std::string_view text;
      if (auto error = value.get_string().get(text)) return error;
      out.text = text.data();
      out.length = static_cast<uint32_t>(text.size());
      out.kind = WEIR_JSON_TEXT;
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::boolean: {
      bool truth;
      if (auto error = value.get_bool().get(truth)) return error;
      out.kind = truth ? WEIR_JSON_TRUE : WEIR_JSON_FALSE;
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::null: {
      if (!isNull(value.is_null())) return simdjson::N_ATOM_ERROR;
      out.kind = WEIR_JSON_NULL;
      return simdjson::SUCCESS;
    }
    default:
      out.kind = WEIR_JSON_NESTED;
      return validate(value);
  }
}

}  // namespace

weir_json_decoder *weir_json_decoder_create(const char *const *names, const int32_t *columns,
                                            size_t count, size_t column_count) {
  try {
    auto decoder = std::make_unique<weir_json_decoder>();
    decoder->columnCount = column_count;
    for (size_t i = 0; i < count; i++) {
      decoder->names.emplace_back(names[i]);
      decoder->columns.push_back(columns[i]);
      const std::string &name = decoder->names.back();
      decoder->isPlain.push_back(name.size() < simdjson::SIMDJSON_PADDING &&
                                 name.find_first_of("\"\\") == name.npos);
    }
    // Views into `names`, which no longer grows.
    for (size_t i = 0; i < count; i++) decoder->index.emplace(decoder->names[i], i);
    return decoder.release();
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

void weir_json_decoder_destroy(weir_json_decoder *decoder) { delete decoder; }

int weir_json_decode(weir_json_decoder *decoder, const char *bytes, size_t length,
                     weir_json_value *values, int32_t *column) {
  try {
    if (decoder->buffer.size() < length + simdjson::SIMDJSON_PADDING) {
      decoder->buffer.resize(2 * length + simdjson::SIMDJSON_PADDING);
    }
  } catch (const std::bad_alloc &) {
    return errorMemory;
  }
  if (length > 0) std::memcpy(decoder->buffer.data(), bytes, length);
  std::memset(decoder->buffer.data() + length, 0, simdjson::SIMDJSON_PADDING);
  for (size_t i = 0; i < decoder->columnCount; i++) values[i].kind = WEIR_JSON_ABSENT;

  ondemand::document document;
  if (auto error = decoder->parser
                       .iterate(decoder->buffer.data(), length,
                                length + simdjson::SIMDJSON_PADDING)
                       .get(document)) {
    return error;
  }
  ondemand::object object;
  if (auto error = document.get_object().get(object)) {
    return error == simdjson::INCORRECT_TYPE ? errorNotAnObject : error;
  }
  size_t expected = 0;
  for (auto field : object) {
    ondemand::raw_json_string spelled;
    if (auto error = field.key().get(spelled)) return error;
    int32_t found = decoder->expectedColumn(spelled, expected);
    if (found < 0) {
      std::string_view key;
      if (auto error = field.unescaped_key().get(key)) return error;
      found = decoder->column(key, expected);
    }
    ondemand::value value;
    if (auto error = field.value().get(value)) return error;
    if (found < 0) {
      if (auto error = validate(value)) return error;
    } else if (values[found].kind != WEIR_JSON_ABSENT) {
      *column = found;
      return errorRepeated;
    } else if (auto error = read(value, values[found])) {
      return error;
    }
  }
  // Past the object there must be nothing; asking where we are is how every release can tell.
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS
             ? 0
             : simdjson::TRAILING_CONTENT;
}

const char *weir_json_error_text(int error) {
  switch (error) {
    case errorRepeated:
      return "a field is given twice";
    case errorNotAnObject:
      return "another JSON value";
    case errorMemory:
      return "out of memory";
    default:
      return simdjson::error_message(static_cast<simdjson::error_code>(error));
  }
}
