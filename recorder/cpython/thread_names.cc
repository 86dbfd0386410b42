#include "recorder/cpython/thread_names.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <span>

#include "recorder/cpython/python_text.h"
#include "recorder/cpython/raw_object.h"

namespace gauge::cpython {
namespace {

constexpr std::size_t kCommBytes = 32;  // the kernel keeps 15 and adds an end of line

/// A thread's name in the kernel, without the end of line. @param path  of a comm file; empty if it cannot be read
std::string_view read_comm(const char* path, std::span<char, kCommBytes> buffer) noexcept {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t size = read(file, buffer.data(), buffer.size());
  close(file);
  if (size <= 0) return {};
  const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  return text.substr(0, text.find('\n'));
}

}  // namespace

ThreadNames::ThreadNames(const ObjectLayout& layout, DescriptorTable table)
    : layout_(layout), table_(table), buffer_(std::make_unique_for_overwrite<char[]>(kMaxNameBytes)) {}

std::string_view ThreadNames::name_of(MemoryReader& reader, std::uint64_t python_id, std::uint64_t native_id) noexcept {
  const std::string_view name = python_name(reader, python_id);
  if (!name.empty()) return name;
  // A program that never imports threading has no names; the kernel's for its first thread is the process's.
  return native_id == static_cast<std::uint64_t>(getpid()) ? "MainThread" : kernel_name(native_id);
}

/// The path is walked anew each time: `threading` may be imported, reloaded or replaced at any moment.
std::string_view ThreadNames::python_name(MemoryReader& reader, std::uint64_t python_id) noexcept {
  const RawObjects objects(reader, layout_);
  const auto& landmarks = layout_.landmarks;
  const std::uintptr_t module = objects.find(landmarks.modules, landmarks.threading);
  const std::uintptr_t active = objects.find(objects.module_dict(module), landmarks.active);
  if (!objects.has_type(active, landmarks.dict_type)) return {};
  const std::uintptr_t thread = objects.find(active, python_id);
  if (thread == 0) return {};

  TextRequest name;
  name.address = objects.find_attribute(thread, landmarks.thread_name);
  name.buffer = {buffer_.get(), kMaxNameBytes};
  if (name.address == 0) return {};
  read_texts(reader, layout_, {&name, 1});
  if (name.state == TextState::unreadable) return {};
  // Dicts change while they are read. What names its own ident is the thread that was asked for.
  const std::uintptr_t ident = objects.find_attribute(thread, landmarks.thread_ident);
  return objects.integer(ident) == python_id ? name.text : std::string_view{};
}

std::string_view ThreadNames::kernel_name(std::uint64_t native_id) noexcept {
  if (native_id == 0 || table_ == DescriptorTable::shared) return {};
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/self/task/%llu/comm", static_cast<unsigned long long>(native_id));
  const std::string_view name = read_comm(path.data(), std::span<char, kCommBytes>(buffer_.get(), kCommBytes));
  // The main thread's name is the process's; it can change, so it is asked for each time.
  std::array<char, kCommBytes> process_buffer;
  const std::string_view process = read_comm("/proc/self/comm", process_buffer);
  return name == process ? std::string_view{} : name;
}

}  // namespace gauge::cpython
