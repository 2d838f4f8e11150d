# room(NAME [USES room...] [THIRD_PARTY target...] [TEST_ONLY])
# One static library from src/NAME/*.cpp, and one test program NAME_test from src/NAME/*_test.cpp:
# a test file that exists is always built.
add_library(build_flags INTERFACE)
target_compile_options(build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wswitch-enum -Wno-missing-field-initializers -Werror
  # GCC 12 sees overlapping copies in `"text" + std::string` (GCC bug 105651) and unset members in aggregates
  # (GCC bug 105562) where there are none.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  # rpm/createrepo_c.hpp renames a member that C++20 made a keyword.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-keyword-macro>)
target_compile_definitions(build_flags INTERFACE REPOUPDATE_VERSION="${PROJECT_VERSION}")
target_include_directories(build_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
if(REPOUPDATE_SANITIZE)
  target_compile_options(build_flags INTERFACE -fsanitize=${REPOUPDATE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(build_flags INTERFACE -fsanitize=${REPOUPDATE_SANITIZE})
endif()

function(room name)
  cmake_parse_arguments(ROOM "TEST_ONLY" "" "USES;THIRD_PARTY" ${ARGN})
  if(ROOM_TEST_ONLY AND NOT REPOUPDATE_TESTS AND NOT REPOUPDATE_BENCH)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
  if(sources)
    add_library(${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${name} ${scope} ${ROOM_USES} ${ROOM_THIRD_PARTY} build_flags)
  if(REPOUPDATE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} testkit GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE REPOUPDATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME unit.${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT ${REPOUPDATE_TEST_TIMEOUT})
  endif()
endfunction()
