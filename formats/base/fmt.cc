// The implementation of fmt 9, compiled once.
//
// Debian has fmt as a shared library, which a wheel cannot count on, or as headers alone, with which each file that
// formats text compiles all of fmt: half of the time that a build of this tree took. What fmt's headers leave to the
// library and what is a template there has to be named below; a name that is missing does not link.
#include <fmt/format-inl.h>

namespace fmt::detail {

template dragonbox::decimal_fp<float> dragonbox::to_decimal(float) noexcept;
template dragonbox::decimal_fp<double> dragonbox::to_decimal(double) noexcept;
template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);
template std::locale locale_ref::get() const;

}  // namespace fmt::detail
