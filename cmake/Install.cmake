# What `cmake --install` copies, so that another project can say
#   find_package(Bilevel 0.1 REQUIRED)
#   target_link_libraries(app PRIVATE Bilevel::bilevel)
# and with COMPONENTS gradient_flow also Bilevel::gradient_flow, where it was built.
# tests/install does exactly that.
include(CMakePackageConfigHelpers)

set(bilevel_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Bilevel)

set_target_properties(bilevel PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION
                                                                    ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
install(
  TARGETS bilevel
  EXPORT BilevelTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(
  DIRECTORY ${PROJECT_SOURCE_DIR}/include/bilevel
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING
  PATTERN *.hpp)
install(
  EXPORT BilevelTargets
  NAMESPACE Bilevel::
  DESTINATION ${bilevel_config_dir})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/BilevelConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/BilevelConfig.cmake INSTALL_DESTINATION ${bilevel_config_dir})
# Before 1.0 a new minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/BilevelConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/BilevelConfig.cmake ${PROJECT_BINARY_DIR}/BilevelConfigVersion.cmake
        DESTINATION ${bilevel_config_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(TARGET bilevel_gradient_flow)
  set_target_properties(
    bilevel_gradient_flow PROPERTIES VERSION ${PROJECT_VERSION}
                                     SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  install(
    TARGETS bilevel_gradient_flow
    EXPORT BilevelGradientFlowTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/backends/sundials/include/bilevel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(
    EXPORT BilevelGradientFlowTargets
    NAMESPACE Bilevel::
    DESTINATION ${bilevel_config_dir})
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/FindSundialsCvodes.cmake DESTINATION ${bilevel_config_dir})
endif()

if(TARGET bilevel_cli)
  if(BUILD_SHARED_LIBS)
    file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
    set_target_properties(bilevel_cli PROPERTIES INSTALL_RPATH $ORIGIN/${bin_to_lib})
  endif()
  install(TARGETS bilevel_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
