// Samples of a profile to spans: the stacks of every thread and task in time order, through its Lane.
#pragma once

#include "formats/profile/profile.h"
#include "formats/spans/lane.h"

namespace gauge {

/// Infers the spans of all threads and hands each to `visit` when it ends: children before parents, the spans of one
/// process before those of the next. Equal profiles give equal spans in equal order.
///
/// One trace per outermost function of a thread or task. Memory: O(threads + tasks that go on). Throws what `visit`
/// throws.
SpanReport infer_spans(const Profile& profile, const SpanVisitor& visit);

}  // namespace gauge
