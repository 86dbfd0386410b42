#include "recorder/cpython/code_object.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "recorder/cpython/gather.h"
#include "recorder/cpython/raw_object.h"

namespace gauge::cpython {
namespace {

constexpr int kMaxTries = 3;
constexpr std::size_t kCodeUnitBytes = 2;
constexpr std::uint32_t kGeneratorFlag = 0x20;        // CO_GENERATOR
constexpr std::uint32_t kCoroutineFlag = 0x80;        // CO_COROUTINE
constexpr std::uint32_t kAsyncGeneratorFlag = 0x200;  // CO_ASYNC_GENERATOR

/// Of each piece, this many bytes from its end: enough to hold nearly every name whole.
constexpr std::size_t kMaxPieceBytes = 256;

constexpr std::size_t kMaxHeaderBytes = 512;

MemoryRange piece_of(const MemoryRange& whole) {
  const std::size_t size = std::min(whole.size, kMaxPieceBytes);
  return {whole.address + whole.size - size, size};
}

/// From 3.13 on, calling a class may put a frame of the interpreter's own below __init__. Its code object is one of
/// CPython's data, all its texts are this one, and it has no line.
bool is_init_shim(const CodeSight& sight) {
  constexpr std::string_view kShim = "__init__";
  return sight.first_line == 0 && sight.name == kShim && sight.file == kShim;
}

}  // namespace

gpf::FunctionKind CodeHeader::kind() const noexcept {
  if ((flags & kCoroutineFlag) != 0) return gpf::FunctionKind::coroutine;
  if ((flags & kAsyncGeneratorFlag) != 0) return gpf::FunctionKind::async_generator;
  return (flags & kGeneratorFlag) != 0 ? gpf::FunctionKind::generator : gpf::FunctionKind::plain;
}

std::optional<CodeHeader> decode_code_header(const ObjectLayout& layout, const std::byte* bytes) noexcept {
  const auto& code = layout.code;
  if (!is_alive(value_at<std::uint64_t>(bytes, layout.object.reference_count))) return std::nullopt;
  if (value_at<std::uintptr_t>(bytes, layout.object.type) != layout.landmarks.code_type) return std::nullopt;
  CodeHeader header;
  if (code.version != 0) header.version = value_at<std::uint32_t>(bytes, code.version);
  header.name = value_at<std::uintptr_t>(bytes, code.name);
  if (code.qualified_name != 0) header.qualified_name = value_at<std::uintptr_t>(bytes, code.qualified_name);
  header.file = value_at<std::uintptr_t>(bytes, code.file);
  header.line_table = value_at<std::uintptr_t>(bytes, code.line_table);
  header.first_line = value_at<std::uint32_t>(bytes, code.first_line);
  header.flags = value_at<std::uint32_t>(bytes, code.flags);
  header.local_count = value_at<std::uint32_t>(bytes, code.local_count);
  if (code.bytecode_object != 0) header.bytecode_object = value_at<std::uintptr_t>(bytes, code.bytecode_object);
  const bool has_units = code.bytecode_object == 0;
  const auto units = has_units ? value_at<std::uint64_t>(bytes, layout.object.item_count) : 0;
  if (units > UINT32_MAX / kCodeUnitBytes) return std::nullopt;
  header.bytecode_size = static_cast<std::uint32_t>(units * kCodeUnitBytes);

  Digest digest;
  for (const std::uint64_t word :
       {std::uint64_t{header.name}, std::uint64_t{header.qualified_name}, std::uint64_t{header.file},
        std::uint64_t{header.line_table}, std::uint64_t{header.bytecode_object}, units}) {
    digest.add(word);
  }
  digest.add(std::uint64_t{header.first_line} << 32 | header.flags);
  digest.add(header.local_count);
  for (const std::size_t field : {code.constants, code.names, code.local_names, code.exception_table}) {
    if (field != 0) digest.add(value_at<std::uint64_t>(bytes, field));
  }
  header.digest = digest.value();
  return header;
}

bool is_shared_code(const ObjectLayout& layout, const std::byte* bytes) noexcept {
  const auto word = value_at<std::uint64_t>(bytes, layout.object.reference_count);
  return is_alive(word) && references_of(word) >= 2;
}

void Digest::add(std::uint64_t word) noexcept {
  value_ = (value_ ^ word) * 0x9e3779b97f4a7c15;
  value_ ^= value_ >> 32;
}

void Digest::add(std::span<const std::byte> bytes) noexcept {
  add(bytes.size());
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) {
    add(value_at<std::uint64_t>(bytes.data(), 0));
  }
  std::uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  add(rest);
}

CodeIdentity CodeIdentity::from_version(const CodeHeader& header) noexcept {
  // Out of versions, CPython gives 0 to every code object. Headers are then what is left, marked as no version.
  constexpr std::uint64_t kNoVersion = std::uint64_t{1} << 63;
  return {header.version != 0 ? header.version : header.digest | kNoVersion};
}

CodeIdentity CodeIdentity::from_content(const CodeHeader& header, const Digest& pieces) noexcept {
  Digest digest = pieces;
  digest.add(header.digest);
  return {digest.value()};
}

CodeReader::CodeReader(MemoryReader& reader, const ObjectLayout& layout, std::size_t max_text_bytes,
                       std::size_t max_line_table_bytes)
    : reader_(reader),
      layout_(layout),
      max_text_bytes_(max_text_bytes),
      max_line_table_bytes_(max_line_table_bytes),
      text_buffers_(std::make_unique_for_overwrite<char[]>(kBufferCount * max_text_bytes)),
      line_table_buffer_(std::make_unique_for_overwrite<std::byte[]>(max_line_table_bytes)) {}

std::span<char> CodeReader::buffer(Buffer which) noexcept {
  return {text_buffers_.get() + which * max_text_bytes_, max_text_bytes_};
}

const CodeReader::Result* CodeReader::read(const CodeAddress& address) noexcept {
  for (int tries = 0; tries < kMaxTries; ++tries) {
    if (try_read(address)) return &result_;
  }
  return nullptr;
}

bool CodeReader::try_read(const CodeAddress& address) noexcept {
  result_ = {};
  const auto header = read_header(address.code);
  if (!header) return false;
  result_.header = *header;
  Names names;
  if (!read_names(*header, kName, names)) return false;
  CodeSight& sight = result_.sight;
  sight.name = names.name.text;
  sight.qualified_name = names.qualified_name.text;
  sight.file = names.file.text;
  sight.first_line = header->first_line;
  sight.kind = header->kind();
  result_.is_shim = is_init_shim(sight);
  if (!read_bytecode_size(*header) || !read_line_table(header->line_table)) return false;
  // The interpreter leaves in the frame of a shim what was there before: its globals are anybody's.
  if (!result_.is_shim && !read_module(address)) return false;
  if (!confirm(address, names)) return false;
  result_.bytes = sight.name.size() + sight.qualified_name.size() + sight.file.size() + sight.module.size() +
                  sight.line_table.size();
  return true;
}

std::optional<CodeHeader> CodeReader::read_header(std::uintptr_t code) noexcept {
  std::array<std::byte, kMaxHeaderBytes> bytes;
  if (layout_.code.size > bytes.size() || !reader_.read_bytes(code, bytes.data(), layout_.code.size)) {
    return std::nullopt;
  }
  return decode_code_header(layout_, bytes.data());
}

bool CodeReader::read_names(const CodeHeader& header, Buffer first, Names& names) noexcept {
  std::array<TextRequest, 3> requests;  // the last one is not there in every version
  const std::array<std::uintptr_t, 3> addresses{header.name, header.file, header.qualified_name};
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].address = addresses[i];
    requests[i].buffer = buffer(static_cast<Buffer>(first + static_cast<int>(i)));
  }
  const auto wanted = std::span(requests).first(layout_.code.qualified_name != 0 ? 3 : 2);
  read_texts(reader_, layout_, wanted);
  names = {.name = requests[0], .qualified_name = requests[2], .file = requests[1]};
  return std::all_of(wanted.begin(), wanted.end(),
                     [](const TextRequest& request) { return request.state != TextState::unreadable; });
}

/// How many bytes a bytes object has. @return std::nullopt if there is none
std::optional<std::uint64_t> CodeReader::size_of_bytes(std::uintptr_t object) noexcept {
  std::array<std::byte, 64> head{};
  if (!reader_.read_bytes(object, head.data(), layout_.bytes.data)) return std::nullopt;
  if (!is_alive(value_at<std::uint64_t>(head.data(), layout_.object.reference_count)) ||
      value_at<std::uintptr_t>(head.data(), layout_.object.type) != layout_.landmarks.bytes_type) {
    return std::nullopt;
  }
  const auto size = value_at<std::uint64_t>(head.data(), layout_.object.item_count);
  return size <= PTRDIFF_MAX ? std::optional(size) : std::nullopt;
}

bool CodeReader::read_bytecode_size(const CodeHeader& header) noexcept {
  result_.bytecode_size = header.bytecode_size;
  if (header.bytecode_object == 0) return true;
  const auto size = size_of_bytes(header.bytecode_object);
  if (!size || *size > UINT32_MAX) return false;
  result_.bytecode_size = static_cast<std::uint32_t>(*size);
  return true;
}

bool CodeReader::read_line_table(std::uintptr_t table) noexcept {
  static constexpr std::array<std::byte, 2> kFromTheStart{};  // no bytes, no lines: says what an empty table implies
  const auto size = size_of_bytes(table);
  if (!size) return false;
  result_.pieces[3] = piece_of({table + layout_.bytes.data, *size + 1});  // with the terminating zero
  if (*size > max_line_table_bytes_) return true;                         // shown without lines
  if (!reader_.read_bytes(table + layout_.bytes.data, line_table_buffer_.get(), *size)) return false;
  result_.sight.line_table = {line_table_buffer_.get(), *size};
  if (*size == 0 && layout_.code.has_implied_lines) result_.sight.line_table = kFromTheStart;
  return true;
}

/// The module is the `__name__` of the globals the code runs with, not the function's `__module__`: functools.wraps
/// and its like give a wrapper the `__module__` of what it wraps, where no such function was ever written.
///
/// Globals die with their last function, just before its code does. So they, and what they say, must be the same again
/// after the name was read; where they have no name, or are no dict, the module is unknown.
bool CodeReader::read_module(const CodeAddress& address) noexcept {
  if (address.globals == 0) return true;
  const ModuleState before = module_state(address);
  if (before.globals_type == 0) return false;
  TextRequest name;
  name.address = before.name;
  name.buffer = buffer(kModule);
  read_texts(reader_, layout_, {&name, 1});
  if (module_state(address) != before) return false;
  result_.sight.module = name.text;
  return true;
}

CodeReader::ModuleState CodeReader::module_state(const CodeAddress& address) noexcept {
  const RawObjects objects(reader_, layout_);
  ModuleState state;
  state.is_held = function_has(address, layout_.function.globals, address.globals);
  state.globals_type = objects.type_of(address.globals);
  if (state.globals_type == layout_.landmarks.dict_type) {
    state.name = objects.find(address.globals, layout_.landmarks.module_name);
  }
  return state;
}

/// Whether the function is alive and its `field` has this value, which it then keeps alive.
bool CodeReader::function_has(const CodeAddress& address, std::size_t field, std::uintptr_t value) noexcept {
  const RawObjects objects(reader_, layout_);
  std::uintptr_t found = 0;
  return objects.has_type(address.function, layout_.landmarks.function_type) &&
         reader_.read(address.function + field, found) && found == value;
}

/// Whether what was read belonged to one code object that was there all the time, and if so, its identity.
///
/// First, proof that a complete code object is there: a function has it, or it has two owners, as one that runs has
/// (its frame and its function). After that moment the header is read once more. Had it been another one than at the
/// start, its own version would stand there for good. So it was still the one whose names were read. Without versions
/// the names are read again, on the far side of that moment.
bool CodeReader::confirm(const CodeAddress& address, const Names& names) noexcept {
  bool is_complete = function_has(address, layout_.function.code, address.code);
  const bool has_versions = layout_.code.version != 0;
  CodePieces& pieces = result_.pieces;
  pieces[0] = piece_of(names.name.characters);
  pieces[1] = piece_of(names.qualified_name.characters);
  pieces[2] = piece_of(names.file.characters);

  constexpr std::size_t kHeaders = 2;
  std::array<MemoryRange, kHeaders + std::tuple_size_v<CodePieces>> ranges;
  ranges.fill({address.code, layout_.code.size});
  std::copy(pieces.begin(), pieces.end(), ranges.begin() + kHeaders);
  std::size_t agreed = 0;
  Digest digest;
  const auto wanted = std::span(ranges).first(has_versions ? kHeaders : ranges.size());
  gather_each(reader_, wanted, 0, [&](std::size_t i, const std::byte* bytes) {
    if (bytes == nullptr) return;
    if (i == 0) {
      is_complete = is_complete || is_shared_code(layout_, bytes);
      agreed += is_complete ? 1 : 0;
    }
    if (i == 1) agreed += decode_code_header(layout_, bytes) == result_.header ? 1 : 0;
    if (i >= kHeaders) digest.add({bytes, ranges[i].size}), ++agreed;
  });
  if (agreed != wanted.size()) return false;
  if (has_versions) {
    result_.identity = CodeIdentity::from_version(result_.header);
    return true;
  }
  result_.identity = CodeIdentity::from_content(result_.header, digest);
  Names again;
  return read_names(result_.header, kNameAgain, again) && again.name.text == names.name.text &&
         again.qualified_name.text == names.qualified_name.text && again.file.text == names.file.text;
}

}  // namespace gauge::cpython
