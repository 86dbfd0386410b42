#include "formats/gpf/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "formats/base/error.h"
#include "formats/gpf/field_numbers.h"
#include "formats/gpf/framing.h"
#include "gauge.pb.h"

namespace gauge::gpf {
namespace {

namespace pb = ::gauge;  // the generated classes: gauge::Block; ours are gauge::gpf::Block

constexpr std::uint32_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();

template <typename Field>
constexpr bool is(Field ours, int theirs) {
  return static_cast<int>(ours) == theirs;
}

static_assert(is(field::Recording::block, pb::Recording::kBlockFieldNumber));

static_assert(is(field::Metadata::format_major, pb::Metadata::kFormatMajorFieldNumber));
static_assert(is(field::Metadata::format_minor, pb::Metadata::kFormatMinorFieldNumber));
static_assert(is(field::Metadata::gauge_version, pb::Metadata::kGaugeVersionFieldNumber));
static_assert(is(field::Metadata::run_id, pb::Metadata::kRunIdFieldNumber));
static_assert(is(field::Metadata::parent_run_id, pb::Metadata::kParentRunIdFieldNumber));
static_assert(is(field::Metadata::boot_id, pb::Metadata::kBootIdFieldNumber));
static_assert(is(field::Metadata::host, pb::Metadata::kHostFieldNumber));
static_assert(is(field::Metadata::pid, pb::Metadata::kPidFieldNumber));
static_assert(is(field::Metadata::ppid, pb::Metadata::kPpidFieldNumber));
static_assert(is(field::Metadata::command, pb::Metadata::kCommandFieldNumber));
static_assert(is(field::Metadata::working_directory, pb::Metadata::kWorkingDirectoryFieldNumber));
static_assert(is(field::Metadata::executable, pb::Metadata::kExecutableFieldNumber));
static_assert(is(field::Metadata::implementation, pb::Metadata::kImplementationFieldNumber));
static_assert(is(field::Metadata::python_version, pb::Metadata::kPythonVersionFieldNumber));
static_assert(is(field::Metadata::free_threaded, pb::Metadata::kFreeThreadedFieldNumber));
static_assert(is(field::Metadata::python_build, pb::Metadata::kPythonBuildFieldNumber));
static_assert(is(field::Metadata::import_roots, pb::Metadata::kImportRootsFieldNumber));
static_assert(is(field::Metadata::interval_ns, pb::Metadata::kIntervalNsFieldNumber));
static_assert(is(field::Metadata::reader, pb::Metadata::kReaderFieldNumber));
static_assert(is(field::Metadata::start_monotonic_ns, pb::Metadata::kStartMonotonicNsFieldNumber));
static_assert(is(field::Metadata::start_unix_ns, pb::Metadata::kStartUnixNsFieldNumber));
static_assert(is(field::Metadata::incompatible_features, pb::Metadata::kIncompatibleFeaturesFieldNumber));
static_assert(is(field::Metadata::read_only_incompatible_features,
                 pb::Metadata::kReadOnlyIncompatibleFeaturesFieldNumber));
static_assert(is(field::Metadata::ignorable_features, pb::Metadata::kIgnorableFeaturesFieldNumber));
static_assert(is(field::Metadata::max_overhead_ppm, pb::Metadata::kMaxOverheadPpmFieldNumber));
static_assert(is(field::Metadata::part, pb::Metadata::kPartFieldNumber));
static_assert(is(field::Metadata::first_start_monotonic_ns, pb::Metadata::kFirstStartMonotonicNsFieldNumber));
static_assert(is(field::Metadata::first_start_unix_ns, pb::Metadata::kFirstStartUnixNsFieldNumber));

static_assert(is(field::Block::sequence, pb::Block::kSequenceFieldNumber));
static_assert(is(field::Block::definitions, pb::Block::kDefinitionsFieldNumber));
static_assert(is(field::Block::samples, pb::Block::kSamplesFieldNumber));
static_assert(is(field::Block::losses, pb::Block::kLossesFieldNumber));
static_assert(is(field::Block::clock, pb::Block::kClockFieldNumber));
static_assert(is(field::Block::end, pb::Block::kEndFieldNumber));

static_assert(is(field::Definitions::first_string, pb::Definitions::kFirstStringFieldNumber));
static_assert(is(field::Definitions::strings, pb::Definitions::kStringsFieldNumber));
static_assert(is(field::Definitions::first_function, pb::Definitions::kFirstFunctionFieldNumber));
static_assert(is(field::Definitions::functions, pb::Definitions::kFunctionsFieldNumber));
static_assert(is(field::Definitions::first_frame, pb::Definitions::kFirstFrameFieldNumber));
static_assert(is(field::Definitions::frame_function, pb::Definitions::kFrameFunctionFieldNumber));
static_assert(is(field::Definitions::frame_line, pb::Definitions::kFrameLineFieldNumber));
static_assert(is(field::Definitions::first_stack, pb::Definitions::kFirstStackFieldNumber));
static_assert(is(field::Definitions::stack_parent_back, pb::Definitions::kStackParentBackFieldNumber));
static_assert(is(field::Definitions::stack_frame, pb::Definitions::kStackFrameFieldNumber));
static_assert(is(field::Definitions::threads, pb::Definitions::kThreadsFieldNumber));
static_assert(is(field::Definitions::frame_column, pb::Definitions::kFrameColumnFieldNumber));
static_assert(is(field::Definitions::first_task, pb::Definitions::kFirstTaskFieldNumber));
static_assert(is(field::Definitions::task_name, pb::Definitions::kTaskNameFieldNumber));
static_assert(is(field::Definitions::task_number, pb::Definitions::kTaskNumberFieldNumber));
static_assert(is(field::Definitions::task_whole_id, pb::Definitions::kTaskWholeIdFieldNumber));

static_assert(is(field::Function::name, pb::Function::kNameFieldNumber));
static_assert(is(field::Function::qualified_name, pb::Function::kQualifiedNameFieldNumber));
static_assert(is(field::Function::module, pb::Function::kModuleFieldNumber));
static_assert(is(field::Function::file, pb::Function::kFileFieldNumber));
static_assert(is(field::Function::first_line, pb::Function::kFirstLineFieldNumber));
static_assert(is(field::Function::kind, pb::Function::kKindFieldNumber));

static_assert(is(field::Thread::id, pb::Thread::kIdFieldNumber));
static_assert(is(field::Thread::native_id, pb::Thread::kNativeIdFieldNumber));
static_assert(is(field::Thread::python_id, pb::Thread::kPythonIdFieldNumber));
static_assert(is(field::Thread::name, pb::Thread::kNameFieldNumber));
static_assert(is(field::Thread::interpreter, pb::Thread::kInterpreterFieldNumber));
static_assert(is(field::Thread::whole_id, pb::Thread::kWholeIdFieldNumber));

static_assert(is(field::Samples::start, pb::Samples::kStartFieldNumber));
static_assert(is(field::Samples::time_unit_ns, pb::Samples::kTimeUnitNsFieldNumber));
static_assert(is(field::Samples::cpu_unit_ns, pb::Samples::kCpuUnitNsFieldNumber));
static_assert(is(field::Samples::interval_ns, pb::Samples::kIntervalNsFieldNumber));
static_assert(is(field::Samples::time_delta, pb::Samples::kTimeDeltaFieldNumber));
static_assert(is(field::Samples::thread, pb::Samples::kThreadFieldNumber));
static_assert(is(field::Samples::stack_delta, pb::Samples::kStackDeltaFieldNumber));
static_assert(is(field::Samples::status, pb::Samples::kStatusFieldNumber));
static_assert(is(field::Samples::cpu, pb::Samples::kCpuFieldNumber));
static_assert(is(field::Samples::same_frames, pb::Samples::kSameFramesFieldNumber));
static_assert(is(field::Samples::task, pb::Samples::kTaskFieldNumber));
static_assert(is(field::Samples::outer_frames, pb::Samples::kOuterFramesFieldNumber));
static_assert(is(field::Samples::task_same_frames, pb::Samples::kTaskSameFramesFieldNumber));

static_assert(is(field::Losses::ticks, pb::Losses::kTicksFieldNumber));
static_assert(is(field::Losses::missed_ticks, pb::Losses::kMissedTicksFieldNumber));
static_assert(is(field::Losses::samples, pb::Losses::kSamplesFieldNumber));
static_assert(is(field::Losses::partial_stacks, pb::Losses::kPartialStacksFieldNumber));
static_assert(is(field::Losses::truncated_stacks, pb::Losses::kTruncatedStacksFieldNumber));
static_assert(is(field::Losses::failed_reads, pb::Losses::kFailedReadsFieldNumber));
static_assert(is(field::Losses::dropped_samples, pb::Losses::kDroppedSamplesFieldNumber));
static_assert(is(field::Losses::unknown_names, pb::Losses::kUnknownNamesFieldNumber));
static_assert(is(field::Losses::sampler_cpu_ns, pb::Losses::kSamplerCpuNsFieldNumber));
static_assert(is(field::Losses::writer_cpu_ns, pb::Losses::kWriterCpuNsFieldNumber));
static_assert(is(field::Losses::retried_reads, pb::Losses::kRetriedReadsFieldNumber));

static_assert(is(field::ClockAnchor::monotonic_ns, pb::ClockAnchor::kMonotonicNsFieldNumber));
static_assert(is(field::ClockAnchor::unix_ns, pb::ClockAnchor::kUnixNsFieldNumber));
static_assert(is(field::End::monotonic_ns, pb::End::kMonotonicNsFieldNumber));
static_assert(is(field::End::reason, pb::End::kReasonFieldNumber));

static_assert(is(kPartial, pb::PARTIAL) && is(kTruncated, pb::TRUNCATED) && is(kAfterGap, pb::AFTER_GAP));
static_assert(is(kOnCpu, pb::ON_CPU) && is(kCpuUnknown, pb::CPU_UNKNOWN) && is(kNewCall, pb::NEW_CALL));
static_assert(is(FunctionKind::generator, pb::GENERATOR) && is(FunctionKind::coroutine, pb::COROUTINE));
static_assert(is(FunctionKind::async_generator, pb::ASYNC_GENERATOR) && is(FunctionKind::plain, pb::PLAIN));
static_assert(is(kNewTaskCall, pb::NEW_TASK_CALL) && is(kReady, pb::READY));
static_assert(is(kGilHeld, pb::GIL_HELD) && is(kGilWanted, pb::GIL_WANTED) && is(kGilUnknown, pb::GIL_UNKNOWN));

/// A block in which every field has a value of its own, the extremes among them.
Block full_block() {
  Block block;
  block.sequence = kMax64;
  block.definitions = Definitions{
      .first_string = 5,
      .strings = {"main", "\xed\xb2\x80", std::string("a\0b", 3)},  // a lone surrogate, a zero byte
      .first_function = 3,
      .functions =
          {{.name = 5, .qualified_name = 6, .module = 7, .file = 1, .first_line = 77, .kind = FunctionKind::coroutine},
           {}},
      .first_frame = 9,
      .frame_function = {3, 4},
      .frame_line = {0, kMax32},
      .frame_column = {kMax32, 0},
      .first_stack = 100,
      .stack_parent_back = {100, 1, 2},
      .stack_frame = {9, 10, 9},
      .threads = {{.id = 1,
                   .native_id = kMax64,
                   .python_id = 140'000'000'000'000,
                   .name = 5,
                   .interpreter = -1,
                   .whole_id = kMax32},
                  {}},
      .first_task = 7,
      .task_name = {6, 0, kMax32},
      .task_number = {0, 1, kMax64},
      .task_whole_id = {0, 8, kMax32}};
  block.samples = Samples{.start = 1'234'567'890,
                          .time_unit_ns = 1000,
                          .cpu_unit_ns = 1,
                          .interval_ns = 10'000'000,
                          .time_delta = {0, 127, 128},
                          .thread = {1, kMax32, 2},
                          .stack_delta = {100, -1, std::numeric_limits<std::int32_t>::min()},
                          .status = {0, 256, kMax32},
                          .cpu = {0, 1'000'000'000'000, 3},
                          .same_frames = {0, 5, 300},
                          .task = {0, 8, kMax32},
                          .outer_frames = {0, 11, 128},
                          .task_same_frames = {0, 2, 300}};
  block.losses = Losses{.ticks = 1,
                        .missed_ticks = 2,
                        .samples = 3,
                        .partial_stacks = 4,
                        .truncated_stacks = 5,
                        .failed_reads = 6,
                        .dropped_samples = 7,
                        .unknown_names = 8,
                        .sampler_cpu_ns = 9,
                        .writer_cpu_ns = 10,
                        .retried_reads = kMax64};
  block.clock = {{.monotonic_ns = -5, .unix_ns = 1'700'000'000'000'000'000}, {}};
  block.end = End{.monotonic_ns = 99, .reason = "stop"};
  return block;
}

std::string encoded(const Block& block) {
  std::string bytes;
  append_block(block, bytes);
  return bytes;
}

pb::Block decoded_by_protobuf(const std::string& bytes) {
  pb::Recording recording;
  EXPECT_TRUE(recording.ParseFromString(bytes));
  EXPECT_EQ(recording.block_size(), 1);
  return recording.block(0);
}

std::string serialized(const pb::Block& block) {
  pb::Recording recording;
  *recording.add_block() = block;
  return recording.SerializeAsString();
}

/// The message of the Error, or a failure.
std::string refusal_of(const std::string& content) {
  try {
    (void)decode_block(content);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt);
    return error.what();
  }
  ADD_FAILURE() << "was accepted";
  return {};
}

TEST(Codec, ProtobufWritesTheVerySameBytes) {
  const std::string ours = encoded(full_block());
  EXPECT_EQ(serialized(decoded_by_protobuf(ours)), ours);
}

TEST(Codec, ProtobufReadsEveryField) {
  const pb::Block block = decoded_by_protobuf(encoded(full_block()));
  EXPECT_EQ(block.sequence(), kMax64);
  EXPECT_EQ(block.definitions().strings(1), "\xed\xb2\x80");
  ASSERT_EQ(block.definitions().functions_size(), 2);  // the empty one, too
  EXPECT_EQ(block.definitions().functions(0).first_line(), 77U);
  EXPECT_EQ(block.definitions().functions(0).kind(), pb::COROUTINE);
  EXPECT_EQ(block.definitions().frame_line(1), kMax32);
  EXPECT_EQ(block.definitions().frame_column(0), kMax32);
  EXPECT_EQ(block.definitions().stack_parent_back(2), 2U);
  EXPECT_EQ(block.definitions().threads(0).interpreter(), -1);
  EXPECT_EQ(block.samples().start(), 1'234'567'890);
  EXPECT_EQ(block.samples().time_delta(2), 128U);
  EXPECT_EQ(block.samples().stack_delta(2), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(block.samples().same_frames(2), 300U);
  EXPECT_EQ(block.definitions().first_task(), 7U);
  EXPECT_EQ(block.definitions().task_name(2), kMax32);
  EXPECT_EQ(block.definitions().task_number(2), kMax64);
  EXPECT_EQ(block.definitions().task_whole_id(1), 8U);
  EXPECT_EQ(block.definitions().threads(0).whole_id(), kMax32);
  EXPECT_EQ(block.samples().task(2), kMax32);
  EXPECT_EQ(block.samples().outer_frames(1), 11U);
  EXPECT_EQ(block.samples().task_same_frames(1), 2U);
  EXPECT_EQ(block.losses().retried_reads(), kMax64);
  EXPECT_EQ(block.clock(0).monotonic_ns(), -5);
  EXPECT_EQ(block.end().reason(), "stop");
}

TEST(Codec, BlockSurvivesTheWayThereAndBack) {
  EXPECT_EQ(decode_block(encoded(full_block())), full_block());
  EXPECT_EQ(decode_block(encoded(Block{})), Block{});
}

TEST(Codec, BlockWithoutColumnsOfFramesIsRead) {
  Block block = full_block();  // as format 1.0 has it
  block.definitions->frame_column.clear();
  EXPECT_EQ(decode_block(encoded(block)), block);
}

TEST(Codec, PresentButEmptyMessagesStayPresent) {
  Block block;
  block.definitions.emplace();
  block.samples.emplace();
  block.losses.emplace();
  block.clock.emplace_back();
  block.end.emplace();
  EXPECT_EQ(decode_block(encoded(block)), block);
  EXPECT_EQ(serialized(decoded_by_protobuf(encoded(block))), encoded(block));
}

TEST(Codec, MetadataIsTheOneOfProtobuf) {
  Metadata metadata;
  metadata.format_major = 1;
  metadata.format_minor = 2;
  metadata.gauge_version = "0.1.0";
  metadata.run_id = std::string("\0\xff", 2);
  metadata.parent_run_id = "p";
  metadata.boot_id = "b";
  metadata.host = "h\xff";
  metadata.pid = kMax64;
  metadata.ppid = 3;
  metadata.command = {"python", "", "\xff"};
  metadata.working_directory = "/w";
  metadata.executable = "/x";
  metadata.implementation = "cpython";
  metadata.python_version = "3.12.1";
  metadata.free_threaded = true;
  metadata.python_build = "3.12.1 (main)";
  metadata.import_roots = {"/r"};
  metadata.interval_ns = 10'000'000;
  metadata.reader = "memfd";
  metadata.start_monotonic_ns = -1;
  metadata.start_unix_ns = 1'700'000'000'000'000'000;
  metadata.incompatible_features = 1;
  metadata.read_only_incompatible_features = 2;
  metadata.ignorable_features = kMax32;
  metadata.max_overhead_ppm = kMax32;
  metadata.part = kMax64;
  metadata.first_start_monotonic_ns = -2;
  metadata.first_start_unix_ns = 1'600'000'000'000'000'000;
  const std::string ours = encode_metadata(metadata);
  pb::Metadata theirs;
  ASSERT_TRUE(theirs.ParseFromString(ours));
  EXPECT_EQ(theirs.SerializeAsString(), ours);
  EXPECT_EQ(theirs.host(), "h\xff");
  EXPECT_EQ(decode_metadata(ours), metadata);
}

TEST(Codec, MetadataWithoutAVersionHasNone) { EXPECT_EQ(decode_metadata("").format_major, 0U); }

TEST(Codec, UnknownFieldsAreSkippedEverywhere) {
  const std::string later = std::string("\xf8\x07\x05", 3) + std::string("\xfa\x07\x03new", 6);  // fields 127
  const std::string function = "\x08\x07" + later;
  const std::string definitions = std::string("\x18\x01", 2) + "\x22" + static_cast<char>(function.size()) + function;
  const std::string block = later + "\x12" + static_cast<char>(definitions.size()) + definitions + "\x08\x09";
  const Block decoded = decode_block("\x0a" + std::string{static_cast<char>(block.size())} + block);
  EXPECT_EQ(decoded.sequence, 9U);
  EXPECT_EQ(decoded.definitions->functions.at(0).name, 7U);
}

TEST(Codec, UnpackedColumnsAreReadAsPackedOnes) {
  // Samples{ time_unit_ns 1, time_delta 5, then packed 6 }
  const Block block = decode_block("\x0a\x09\x1a\x07\x10\x01\x28\x05\x2a\x01\x06");
  EXPECT_EQ(block.samples->time_delta, (std::vector<std::uint64_t>{5, 6}));
}

TEST(Codec, MessageThatStandsTwiceIsMerged) {
  // Block{ losses{ticks 1}, losses{samples 2} }
  const Block block = decode_block("\x0a\x08\x22\x02\x08\x01\x22\x02\x18\x02");
  EXPECT_EQ(block.losses, (Losses{.ticks = 1, .samples = 2}));
}

TEST(Codec, FieldOfAnotherWireTypeIsUnknown) {
  // Block{ sequence as a string "x", end as a number 1 }
  EXPECT_EQ(decode_block(std::string("\x0a\x05\x0a\x01x\x30\x01", 7)), Block{});
}

TEST(Codec, EveryProperPrefixIsRefused) {
  const std::string bytes = encoded(full_block());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW((void)decode_block(std::string_view{bytes}.substr(0, size)), Error) << size;
  }
}

TEST(Codec, ChangedBytesNeverCrash) {
  const std::string bytes = encoded(full_block());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    try {
      EXPECT_TRUE(shape_error(decode_block(changed)).empty());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt);
    }
  }
}

TEST(Codec, FrameHoldsExactlyOneBlock) {
  EXPECT_EQ(refusal_of(""), "holds no block");
  EXPECT_EQ(refusal_of(std::string("\x10\x01", 2)), "holds no block");
  EXPECT_EQ(refusal_of(encoded(Block{}) + encoded(Block{})), "holds more than one block");
}

TEST(Codec, NumberBeyondItsFieldIsRefused) {
  // Definitions{ first_string = 2^32 }
  EXPECT_EQ(refusal_of(std::string("\x0a\x08\x12\x06\x08\x80\x80\x80\x80\x10", 10)),
            "a number is larger than its field");
}

struct Misshapen {
  std::string_view what;
  void (*spoil)(Block& block);
};

class CodecOfMisshapenBlocks : public ::testing::TestWithParam<Misshapen> {};

TEST_P(CodecOfMisshapenBlocks, BlockIsRefusedWithTheReason) {
  Block block = full_block();
  GetParam().spoil(block);
  EXPECT_EQ(refusal_of(encoded(block)), GetParam().what);
}

INSTANTIATE_TEST_SUITE_P(
    Blocks, CodecOfMisshapenBlocks,
    ::testing::Values(
        Misshapen{"columns of samples differ in length", [](Block& b) { b.samples->thread.pop_back(); }},
        Misshapen{"columns of samples differ in length", [](Block& b) { b.samples->same_frames.push_back(0); }},
        Misshapen{"columns of samples differ in length", [](Block& b) { b.samples->time_delta.clear(); }},
        Misshapen{"columns of samples differ in length", [](Block& b) { b.samples->task.pop_back(); }},
        Misshapen{"columns of samples differ in length", [](Block& b) { b.samples->outer_frames.pop_back(); }},
        Misshapen{"columns of samples differ in length", [](Block& b) { b.samples->task_same_frames.push_back(0); }},
        Misshapen{"columns of definitions differ in length", [](Block& b) { b.definitions->frame_line.pop_back(); }},
        Misshapen{"columns of definitions differ in length", [](Block& b) { b.definitions->stack_frame.clear(); }},
        Misshapen{"columns of definitions differ in length", [](Block& b) { b.definitions->frame_column.pop_back(); }},
        Misshapen{"columns of definitions differ in length", [](Block& b) { b.definitions->task_number.clear(); }},
        Misshapen{"columns of definitions differ in length", [](Block& b) { b.definitions->task_whole_id.pop_back(); }},
        Misshapen{"ids of definitions are out of range", [](Block& b) { b.definitions->first_string = 0; }},
        Misshapen{"ids of definitions are out of range", [](Block& b) { b.definitions->first_task = kMax32; }},
        Misshapen{"ids of definitions are out of range", [](Block& b) { b.definitions->first_frame = kMax32; }},
        Misshapen{"a stack stands before its parent", [](Block& b) { b.definitions->stack_parent_back[1] = 0; }},
        Misshapen{"a stack stands before its parent", [](Block& b) { b.definitions->stack_parent_back[1] = 102; }},
        Misshapen{"times are out of range", [](Block& b) { b.samples->time_unit_ns = 0; }},
        Misshapen{"times are out of range", [](Block& b) { b.samples->start = -1; }},
        Misshapen{"times are out of range", [](Block& b) { b.samples->time_delta[1] = kMax64; }},
        Misshapen{"times are out of range", [](Block& b) { b.samples->time_delta[1] = kMax64 / 2000; }},
        Misshapen{"CPU times are out of range", [](Block& b) { b.samples->cpu[0] = kMax64; }},
        Misshapen{"CPU times are out of range", [](Block& b) { b.samples->cpu_unit_ns = kMax64; }},
        Misshapen{"the interval is out of range", [](Block& b) { b.samples->interval_ns = kMax64; }},
        Misshapen{"too many samples for one block", [](Block& b) {
                    b.samples = Samples{};
                    b.samples->time_unit_ns = 1;
                    b.samples->time_delta.assign(kMaxBlockSamples + 1, 0);
                  }}));

}  // namespace
}  // namespace gauge::gpf
