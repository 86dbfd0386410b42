#include <unistd.h>

#include "cli/doctor.h"
#include "formats/base/json_writer.h"
#include "formats/base/sink.h"
#include "formats/profile/text.h"

namespace gauge::cli {
namespace {

constexpr std::uint32_t kVersion = 1;  // of the layout: grows when a key changes its meaning or goes

void text(JsonWriter& json, std::string_view key, std::string_view bytes) { json.member(key, valid_utf8(bytes)); }

void text_or_null(JsonWriter& json, std::string_view key, std::string_view bytes) {
  json.key(key);
  if (bytes.empty())
    json.null();
  else
    json.value(valid_utf8(bytes));
}

template <typename T>
void number_or_null(JsonWriter& json, std::string_view key, const std::optional<T>& number) {
  json.key(key);
  if (number)
    json.value(*number);
  else
    json.null();
}

/// All null where the interpreter did not tell.
void write_facts(JsonWriter& json, const std::optional<InterpreterFacts>& facts) {
  text_or_null(json, "implementation", facts ? facts->implementation : "");
  text_or_null(json, "version", facts ? facts->version : "");
  number_or_null(json, "free_threaded", facts ? std::optional{facts->is_free_threaded} : std::nullopt);
  text_or_null(json, "executable", facts ? facts->executable : "");
}

void write_interpreter(JsonWriter& json, const Interpreter& interpreter) {
  json.begin_object();
  text(json, "path", interpreter.path);
  json.key("names");
  json.begin_array();
  for (const std::string& name : interpreter.names) json.value(valid_utf8(name));
  json.end_array();
  write_facts(json, interpreter.facts);
  json.member("recordable", interpreter.is_recordable());
  text_or_null(json, "reader", interpreter.reader);
  json.member("samples", interpreter.samples);
  json.member("missed_ticks", interpreter.missed_ticks);
  text_or_null(json, "reason", interpreter.reason ? interpreter.reason->what : "");
  text_or_null(json, "remedy", interpreter.reason ? interpreter.reason->remedy : "");
  json.end_object();
}

void write_attempt(JsonWriter& json, std::string_view key, const Attempt& attempt) {
  json.key(key);
  json.begin_object();
  json.member("works", attempt.works());
  text_or_null(json, "error", attempt.works() ? "" : attempt.failure());
  json.end_object();
}

void write_machine(JsonWriter& json, const MachineFacts& facts) {
  json.key("machine");
  json.begin_object();
  text(json, "kernel", facts.kernel);
  text(json, "architecture", facts.architecture);
  json.key("readers");
  json.begin_object();
  write_attempt(json, "memfd", facts.memfd);
  write_attempt(json, "process_vm_readv", facts.process_vm_readv);
  write_attempt(json, "proc_mem", facts.proc_mem);
  json.end_object();
  write_attempt(json, "own_descriptors", facts.own_descriptors);
  json.member("seccomp_filter", facts.has_seccomp_filter);
  json.member("no_new_privileges", facts.no_new_privileges);
  text_or_null(json, "security_label", facts.security_label);
  number_or_null(json, "address_space_limit", facts.address_space);
  number_or_null(json, "file_size_limit", facts.file_size);
  number_or_null(json, "open_files_limit", facts.open_files);
  text_or_null(json, "folder", facts.folder);
  json.member("folder_writable", facts.folder_error == 0);
  json.member("folder_free_bytes", facts.free_bytes);
  json.member("cores", std::uint32_t{facts.cores});
  number_or_null(json, "cpu_quota", facts.cpu_quota);
  text_or_null(json, "clock_source", facts.clock_source);
  json.end_object();
}

void write_problem(JsonWriter& json, const Problem& problem) {
  json.begin_object();
  text(json, "subject", problem.subject);
  text(json, "what", problem.what);
  text(json, "effect", problem.effect);
  text(json, "remedy", problem.remedy);
  json.member("harmless", problem.is_harmless);
  json.end_object();
}

}  // namespace

void print_doctor_json(const Diagnosis& diagnosis) {
  DescriptorSink sink{STDOUT_FILENO, "standard output"};
  JsonWriter json{sink};
  json.begin_object();
  json.member("schema", "gauge-doctor");
  json.member("version", kVersion);
  json.member("gauge_version", GAUGE_VERSION);
  json.member("good", diagnosis.is_good());
  json.key("interpreters");
  json.begin_array();
  for (const Interpreter& interpreter : diagnosis.interpreters) write_interpreter(json, interpreter);
  json.end_array();
  write_machine(json, diagnosis.machine);
  json.key("problems");
  json.begin_array();
  for (const Problem& problem : diagnosis.problems) write_problem(json, problem);
  json.end_array();
  json.end_object();
  json.finish();
  sink.write("\n");
}

}  // namespace gauge::cli
