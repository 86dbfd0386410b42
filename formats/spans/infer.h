// Samples of a profile to spans: every thread's stacks in time order, through its Lane.
#pragma once

#include "formats/profile/profile.h"
#include "formats/spans/lane.h"

namespace gauge {

/// Infers the spans of all threads and hands each to `visit` when it ends: children before parents, the spans of one
/// process before those of the next. Equal profiles give equal spans in equal order.
///
/// One trace per outermost function of a thread. Memory: O(threads + open spans). Throws what `visit` throws.
SpanReport infer_spans(const Profile& profile, const SpanVisitor& visit);

}  // namespace gauge
