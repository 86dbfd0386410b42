# Has the zstd command check a recording, and protoc print it.
# cmake -DGENERATE=gauge-generate -DPROTOC=protoc -DSCHEMA=gauge.proto -DFOLDER=... -P tools_test.cmake
find_program(ZSTD zstd)
if(NOT ZSTD)
  message(FATAL_ERROR "the zstd command was not found; install it (Debian: apt-get install zstd)")
endif()
set(recording ${FOLDER}/tools_test.gpf)
set(decoded ${FOLDER}/tools_test.pb)
cmake_path(GET SCHEMA PARENT_PATH schema_folder)

execute_process(COMMAND ${GENERATE} --samples 10000 -o ${recording} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${ZSTD} -t -q ${recording} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${ZSTD} -dcq ${recording} OUTPUT_FILE ${decoded} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROTOC} --proto_path=${schema_folder} --decode=gauge.Recording ${SCHEMA}
  INPUT_FILE ${decoded} OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)

# The last block of 10 000 samples says so, and has the end record; protoc would print unknown fields as numbers.
foreach(expected "samples: 10000" "reason: \"stop\"" "strings: \"MainThread\"" "time_unit_ns: 1000")
  string(FIND "${printed}" "${expected}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "protoc printed no '${expected}'")
  endif()
endforeach()
if(printed MATCHES "\n *[0-9]+[:{ ]")
  message(FATAL_ERROR "protoc found a field that the schema does not have: '${CMAKE_MATCH_0}'")
endif()
