# Makes a C++ header of a page: its HTML with the styles and scripts that it names as {{FILE}} put in, cut in two where
# {{recording}} stands.
#
#   cmake -DPAGE=page.html -DHEADER=out.h -P EmbedPage.cmake
cmake_minimum_required(VERSION 3.25)

get_filename_component(folder ${PAGE} DIRECTORY)
get_filename_component(name_of_page ${PAGE} NAME)
file(READ ${PAGE} page)
string(REGEX MATCHALL "{{[a-z_]+\\.(css|js)}}" names "${page}")
foreach(name IN LISTS names)
  string(REGEX REPLACE "[{}]" "" file ${name})
  file(READ ${folder}/${file} content)
  string(REPLACE "${name}" "\n${content}" page "${page}")
endforeach()

string(FIND "${page}" "{{recording}}" place)
if(place EQUAL -1)
  message(FATAL_ERROR "gauge: ${PAGE}: has no place for the recording; write {{recording}} where it is to stand")
endif()
string(SUBSTRING "${page}" 0 ${place} before)
string(LENGTH "{{recording}}" length)
math(EXPR place "${place} + ${length}")
string(SUBSTRING "${page}" ${place} -1 after)

# string() counts bytes, and compilers limit the length of one literal: the scripts stay below it.
file(WRITE ${HEADER} "// Made of ${name_of_page} by cmake/EmbedPage.cmake.
#pragma once

#include <string_view>

namespace gauge::html_page {

inline constexpr std::string_view kBeforeRecording = R\"page(${before})page\";
inline constexpr std::string_view kAfterRecording = R\"page(${after})page\";

}  // namespace gauge::html_page
")
