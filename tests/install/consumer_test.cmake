# cmake -D build=.. -D source=.. -D scratch=.. [...] -P consumer_test.cmake      (see CMakeLists.txt beside this file)
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " line)
    message(FATAL_ERROR "failed (${status}): ${line}")
  endif()
endfunction()

# A prefix from an earlier run could hide a header that is no longer installed.
file(REMOVE_RECURSE ${scratch})
set(prefix ${scratch}/prefix)
run(${CMAKE_COMMAND} --install ${build} --config ${config} --prefix ${prefix})

# The consumer may be built with other instructions than the library: vectors must still pass between the two.
# (g++ 12 takes the undefined registers of its own AVX headers for a mistake: its bug 105593.)
set(flags "-Wall -Wextra -Wno-uninitialized -Wno-maybe-uninitialized")
execute_process(COMMAND uname -m OUTPUT_VARIABLE machine OUTPUT_STRIP_TRAILING_WHITESPACE)
if(machine STREQUAL "x86_64")
  string(APPEND flags " -march=native")
endif()
if(sanitize)
  string(APPEND flags " -fsanitize=${sanitize}")
endif()
function(build_and_run project)
  cmake_path(GET project FILENAME name)
  set(build_folder ${scratch}/build-${name})
  run(${CMAKE_COMMAND}
      -S ${project}
      -B ${build_folder}
      -G ${generator}
      -D CMAKE_PREFIX_PATH=${prefix}
      -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
      -D CMAKE_BUILD_TYPE=Release
      -D CMAKE_CXX_COMPILER=${compiler}
      -D CMAKE_CXX_COMPILER_LAUNCHER=${launcher}
      -D CMAKE_CXX_FLAGS=${flags})
  run(${CMAKE_COMMAND} --build ${build_folder})
  run(${build_folder}/consumer)
endfunction()

build_and_run(${source})
build_and_run(${source}/plugin)
if(gradient_flow)
  build_and_run(${source}/gradient_flow)
endif()

if(EXISTS ${prefix}/bin/bilevel)
  run(${prefix}/bin/bilevel --version)
endif()
