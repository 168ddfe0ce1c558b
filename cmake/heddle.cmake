# heddle_library(name SOURCES a.cc ... LINKS target ...): one static library, warnings on, includes from the repository root.
# heddle_program(name SOURCES ... LINKS ...): one executable in build/bin. The target `programs` is all of them.
# heddle_unit_test(folder LINKS ...): every tests/unit/<folder>/*_test.cc in one GoogleTest program.
# heddle_fuzzer(name SOURCES ... LINKS ...): one libFuzzer program (only with HEDDLE_FUZZERS).

add_custom_target(fuzzers)

set(HEDDLE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wswitch)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  list(APPEND HEDDLE_WARNINGS -Wno-subobject-linkage)  # takes what a unity build includes for headers
endif()
if(HEDDLE_WERROR)
  list(APPEND HEDDLE_WARNINGS -Werror)
endif()

function(heddle_settings target)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(${target} PRIVATE ${HEDDLE_WARNINGS})
endfunction()

function(heddle_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS")
  add_library(${name} STATIC ${ARG_SOURCES})
  heddle_settings(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
endfunction()

add_custom_target(programs)

function(heddle_program name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINKS")
  add_executable(${name} ${ARG_SOURCES})
  heddle_settings(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  add_dependencies(programs ${name})
endfunction()

function(heddle_unit_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LINKS")
  string(REPLACE "/" "_" program "unit_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${folder}/*_test.cc)
  add_executable(${program} ${sources})
  heddle_settings(${program})
  target_compile_definitions(${program} PRIVATE HEDDLE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/unit/${folder}/testdata")
  target_compile_options(${program} PRIVATE -O0)  # what is tested is optimized; tests would only compile longer
  target_link_libraries(${program} PRIVATE ${ARG_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${program} COMMAND ${program})
  set_tests_properties(${program} PROPERTIES LABELS unit)
endfunction()

function(heddle_fuzzer name)
  if(NOT HEDDLE_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINKS")
  add_executable(${name} ${ARG_SOURCES})
  heddle_settings(${name})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
endfunction()
