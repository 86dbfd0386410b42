// A code object, read raw: its fixed part, and at first sight everything one wants to know of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/object_layout.h"
#include "recorder/cpython/python_text.h"
#include "recorder/stack_source.h"

namespace gauge::cpython {

/// The fixed part. Equal headers at one address: very likely, not certainly, one code object.
struct CodeHeader {
  std::uint32_t version = 0;  // co_version; 0 = this CPython has none, or has run out of them
  std::uint64_t digest = 0;   // of every field that never changes in the life of a code object
  std::uintptr_t name = 0, qualified_name = 0, file = 0, line_table = 0;
  std::uint32_t first_line = 0;
  std::uint32_t flags = 0;
  std::uint32_t local_count = 0;
  std::uint32_t bytecode_size = 0;     // bytes; 0 = the object has it
  std::uintptr_t bytecode_object = 0;  // to 3.10: the bytes object that has the instructions

  [[nodiscard]] gpf::FunctionKind kind() const noexcept;

  bool operator==(const CodeHeader&) const = default;
};

/// @param bytes  ObjectLayout::Code::size of them. @return std::nullopt if this is no live code object
[[nodiscard]] std::optional<CodeHeader> decode_code_header(const ObjectLayout& layout, const std::byte* bytes) noexcept;

/// Whether more than one owner holds the code object whose start this is. If so it is complete: one that is still being
/// made is held by its maker alone, and may show what its predecessor left there, version and all.
[[nodiscard]] bool is_shared_code(const ObjectLayout& layout, const std::byte* bytes) noexcept;

/// What a code object consists of besides its header, where the header has no version to go by: the characters of its
/// three names and the end of its line table. None of it ever changes.
using CodePieces = std::array<MemoryRange, 4>;

/// 64 bits that stand for everything fed to it.
class Digest {
 public:
  void add(std::uint64_t word) noexcept;
  void add(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0;
};

/// How a code object at a known address is told from its successors.
struct CodeIdentity {
  bool operator==(const CodeIdentity&) const = default;
  std::uint64_t value = 0;

  static CodeIdentity from_version(const CodeHeader& header) noexcept;
  /// @param pieces  digest of the pieces' bytes, in order
  static CodeIdentity from_content(const CodeHeader& header, const Digest& pieces) noexcept;
};

struct CodeAddress {
  std::uintptr_t code = 0;
  std::uintptr_t function = 0;
  std::uintptr_t globals = 0;
};

/// Belongs to the sampler thread; allocates in the constructor only.
class CodeReader {
 public:
  CodeReader(MemoryReader& reader, const ObjectLayout& layout, std::size_t max_text_bytes,
             std::size_t max_line_table_bytes);

  /// Valid until the next read().
  struct Result {
    CodeSight sight;  // without its number
    CodeHeader header;
    CodeIdentity identity;
    CodePieces pieces;
    bool is_shim = false;
    std::uint32_t bytecode_size = 0;  // bytes
    std::size_t bytes = 0;            // of texts and line table
  };

  /// Reads it all, and again as much as it takes to know that it belonged together.
  /// @return nullptr if there is no such code object, or it went away or changed meanwhile
  [[nodiscard]] const Result* read(const CodeAddress& address) noexcept;

 private:
  struct Names {
    TextRequest name, qualified_name, file;
  };
  /// What must not change while the module's name is read.
  struct ModuleState {
    bool is_held = false;             // by the function, which keeps the globals alive
    std::uintptr_t globals_type = 0;  // 0 = they are gone
    std::uintptr_t name = 0;          // the str; 0 = they have none

    bool operator==(const ModuleState&) const = default;
  };
  enum Buffer { kName, kFile, kQualifiedName, kModule, kNameAgain, kFileAgain, kQualifiedNameAgain, kBufferCount };

  bool try_read(const CodeAddress& address) noexcept;
  std::optional<CodeHeader> read_header(std::uintptr_t code) noexcept;
  bool read_names(const CodeHeader& header, Buffer first, Names& names) noexcept;
  bool read_bytecode_size(const CodeHeader& header) noexcept;
  bool read_line_table(std::uintptr_t table) noexcept;
  [[nodiscard]] std::optional<std::uint64_t> size_of_bytes(std::uintptr_t object) noexcept;
  bool read_module(const CodeAddress& address) noexcept;
  [[nodiscard]] ModuleState module_state(const CodeAddress& address) noexcept;
  bool confirm(const CodeAddress& address, const Names& names) noexcept;
  [[nodiscard]] bool function_has(const CodeAddress& address, std::size_t field, std::uintptr_t value) noexcept;
  [[nodiscard]] std::span<char> buffer(Buffer which) noexcept;

  MemoryReader& reader_;
  const ObjectLayout& layout_;
  std::size_t max_text_bytes_;
  std::size_t max_line_table_bytes_;
  // Large and not zeroed: pages that no name is long enough to reach never become real.
  std::unique_ptr<char[]> text_buffers_;
  std::unique_ptr<std::byte[]> line_table_buffer_;
  Result result_;
};

}  // namespace gauge::cpython
