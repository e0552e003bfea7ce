# SPDX-License-Identifier: BSD-3-Clause
# What every target shares: warnings, hardening, sanitizers, and the shapes of rooms and tests.

add_library(agw_options INTERFACE)
target_include_directories(agw_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(agw_options INTERFACE _GNU_SOURCE AGW_VERSION="${PROJECT_VERSION}")
target_compile_options(agw_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
  $<$<C_COMPILER_ID:Clang>:-Wno-string-conversion> # AGW_ASSERT(!"what never happens")
  -fno-common -fstack-protector-strong -fno-omit-frame-pointer)
target_link_options(agw_options INTERFACE -Wl,-z,relro,-z,now)
target_link_libraries(agw_options INTERFACE Threads::Threads)
if(AGW_SANITIZE)
  target_compile_options(agw_options INTERFACE -fsanitize=${AGW_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(agw_options INTERFACE -fsanitize=${AGW_SANITIZE})
endif()
if(AGW_FUZZ)
  target_compile_options(agw_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(agw_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# agw_room(NAME SOURCES a.c b.c PUBLIC agw_base PRIVATE PkgConfig::X): the static library agw_NAME.
function(agw_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(agw_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(agw_${name} PUBLIC agw_options ${ROOM_PUBLIC} PRIVATE ${ROOM_PRIVATE})
endfunction()

# agw_unit_test(test_stun agw_ice [...]): NAME.c beside the CMakeLists, linked with the room under test only.
function(agw_unit_test name)
  add_executable(${name} ${name}.c)
  target_link_libraries(${name} PRIVATE ${ARGN} PkgConfig::CUNIT)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE AGW_TEST_DIR="${PROJECT_SOURCE_DIR}/tests")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# agw_fuzz_target(fuzz_stun agw_ice [...]): NAME.c defines LLVMFuzzerTestOneInput; seeds live in tests/fuzz/seeds/NAME/.
# With AGW_FUZZ it is a fuzzer; otherwise an ordinary test that runs the seeds once.
function(agw_fuzz_target name)
  add_executable(${name} ${name}.c)
  target_link_libraries(${name} PRIVATE ${ARGN})
  set(seeds ${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name})
  if(AGW_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/run_seeds.c)
    add_test(NAME ${name} COMMAND ${name} ${seeds})
    set_tests_properties(${name} PROPERTIES LABELS seeds TIMEOUT 120)
  endif()
endfunction()
