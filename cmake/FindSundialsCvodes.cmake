# Finds CVODES of SUNDIALS 6 with serial vectors and SPGMR: the target Sundials::cvodes. Not by SUNDIALS' own package,
# which in Debian demands MPI, OpenMP, PETSc and HYPRE of everyone.
find_path(SundialsCvodes_INCLUDE_DIR cvodes/cvodes.h)
set(sundials_cvodes_parts cvodes nvecserial sunlinsolspgmr)
set(sundials_cvodes_libraries)
set(sundials_cvodes_variables)
foreach(part ${sundials_cvodes_parts})
  find_library(SundialsCvodes_${part}_LIBRARY sundials_${part})
  mark_as_advanced(SundialsCvodes_${part}_LIBRARY)
  list(APPEND sundials_cvodes_variables SundialsCvodes_${part}_LIBRARY)
  list(APPEND sundials_cvodes_libraries ${SundialsCvodes_${part}_LIBRARY})
endforeach()
mark_as_advanced(SundialsCvodes_INCLUDE_DIR)

if(SundialsCvodes_INCLUDE_DIR)
  file(STRINGS ${SundialsCvodes_INCLUDE_DIR}/sundials/sundials_config.h sundials_version
       REGEX "^#define SUNDIALS_VERSION \"")
  string(REGEX MATCH "[0-9.]+" SundialsCvodes_VERSION "${sundials_version}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  SundialsCvodes
  REQUIRED_VARS SundialsCvodes_cvodes_LIBRARY SundialsCvodes_INCLUDE_DIR ${sundials_cvodes_variables}
  VERSION_VAR SundialsCvodes_VERSION
  HANDLE_VERSION_RANGE)

if(SundialsCvodes_FOUND AND NOT TARGET Sundials::cvodes)
  add_library(Sundials::cvodes INTERFACE IMPORTED)
  target_include_directories(Sundials::cvodes INTERFACE ${SundialsCvodes_INCLUDE_DIR})
  target_link_libraries(Sundials::cvodes INTERFACE ${sundials_cvodes_libraries})
endif()
