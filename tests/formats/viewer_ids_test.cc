#include "formats/viewer_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/formats/spans/timeline.h"

namespace gauge {
namespace {

using test::Timeline;
using testing::ElementsAre;

constexpr std::uint32_t kFirstOfOurs = 4194305;  // Linux gives no number above 1 << 22

TEST(ViewerIds, AreTheKernelsWhereItGaveThemOnce) {
  Timeline timeline;  // of process 42
  for (const std::uint64_t native_id : {42U, 43U}) timeline.thread("t", native_id);
  timeline.process(50);
  timeline.thread("t", 50);
  const ViewerIds ids = viewer_ids(timeline.profile());
  EXPECT_THAT(ids.processes, ElementsAre(42, 50));
  EXPECT_THAT(ids.threads, ElementsAre(42, 43, 50));
}

TEST(ViewerIds, ANumberGivenToTwoThreadsIsThatOfTheFirst) {
  Timeline timeline;
  for (const std::uint64_t native_id : {42U, 43U, 43U, 42U}) timeline.thread("t", native_id);
  EXPECT_THAT(viewer_ids(timeline.profile()).threads, ElementsAre(42, 43, kFirstOfOurs, kFirstOfOurs + 1));
}

TEST(ViewerIds, AProcessesNumberIsNoThreadsOfAnother) {
  Timeline timeline;
  timeline.thread("a", 43);
  timeline.process(43);
  timeline.thread("b", 43);
  const ViewerIds ids = viewer_ids(timeline.profile());
  EXPECT_THAT(ids.processes, ElementsAre(42, 43));
  EXPECT_THAT(ids.threads, ElementsAre(kFirstOfOurs, 43));
}

TEST(ViewerIds, ProcessesOfOneNumberStayApart) {
  Timeline timeline;
  timeline.thread("a", 42);
  timeline.process(42);  // on another host, say
  timeline.thread("b", 42);
  const ViewerIds ids = viewer_ids(timeline.profile());
  EXPECT_THAT(ids.processes, ElementsAre(42, kFirstOfOurs));
  EXPECT_THAT(ids.threads, ElementsAre(42, kFirstOfOurs));
}

TEST(ViewerIds, UnknownNumbersAndThoseThatViewersCannotTakeAreReplaced) {
  Timeline timeline;
  for (const std::uint64_t native_id : {std::uint64_t{0}, std::uint64_t{1} << 31}) timeline.thread("t", native_id);
  EXPECT_THAT(viewer_ids(timeline.profile()).threads, ElementsAre(kFirstOfOurs, kFirstOfOurs + 1));
}

}  // namespace
}  // namespace gauge
