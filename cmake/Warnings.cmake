# Warnings and sanitizers for our own code, never exported to the user's build.
add_library(bilevel_warnings INTERFACE)
target_compile_options(bilevel_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                                  -Woverloaded-virtual -Wold-style-cast)
# GCC 12 reports std::string's own operator+ as overlapping memory (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(bilevel_warnings INTERFACE -Wno-restrict)
endif()
if(BILEVEL_WARNINGS_AS_ERRORS)
  target_compile_options(bilevel_warnings INTERFACE -Werror)
endif()
if(BILEVEL_SANITIZE)
  add_compile_options(-fsanitize=${BILEVEL_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BILEVEL_SANITIZE})
endif()
