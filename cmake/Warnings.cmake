# Warnings and sanitizers for our own code, never exported to the user's build.
add_library(bilevel_warnings INTERFACE)
target_compile_options(bilevel_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                                  -Woverloaded-virtual -Wold-style-cast)
if(BILEVEL_WARNINGS_AS_ERRORS)
  target_compile_options(bilevel_warnings INTERFACE -Werror)
endif()
if(BILEVEL_SANITIZE)
  add_compile_options(-fsanitize=${BILEVEL_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BILEVEL_SANITIZE})
endif()
