# gauge_options: what every target of ours is compiled with.
add_library(gauge_options INTERFACE)
target_compile_features(gauge_options INTERFACE cxx_std_20)
target_include_directories(gauge_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(gauge_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -Wno-missing-field-initializers  # GCC 12 gives it for named initialisers too, where the rest is meant to be default
  # GCC 12 warns of std::string's own code where it optimises (its bug 105329).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>,$<NOT:$<CONFIG:Debug>>>:-Wno-restrict>
  $<$<BOOL:${GAUGE_WARNINGS_AS_ERRORS}>:-Werror>)
target_compile_definitions(gauge_options INTERFACE GAUGE_VERSION="${PROJECT_VERSION}")
if(GAUGE_SANITIZE)
  # The undefined-behaviour sanitizer prints what it finds and goes on; only a program that stops fails its test.
  target_compile_options(gauge_options INTERFACE
    -fsanitize=${GAUGE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(gauge_options INTERFACE -fsanitize=${GAUGE_SANITIZE})
endif()

# Everything may end up inside the Python extension, which exports its init function and nothing else.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
