# What `make install` copies: both libraries, the headers, tornado.pc, and the CMake package for find_package(tornado). All paths in
# them are relative to where they lie, so the tree may be installed to one prefix and moved to another.
include(CMakePackageConfigHelpers)

install(TARGETS tornado tornado_static EXPORT tornado-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# What a program that links the static library has to find as well, if this build has it.
set(TORNADO_PC_CARES "")
set(TORNADO_CONFIG_CARES "")
if(TARGET PkgConfig::CARES)
  set(TORNADO_PC_CARES " libcares")
  set(TORNADO_CONFIG_CARES "pkg_check_modules(CARES REQUIRED QUIET IMPORTED_TARGET libcares)")
endif()

file(RELATIVE_PATH TORNADO_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/tornado.pc.in ${PROJECT_BINARY_DIR}/tornado.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tornado.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tornado)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/tornado-config.cmake.in ${PROJECT_BINARY_DIR}/tornado-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tornado-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tornado-config.cmake ${PROJECT_BINARY_DIR}/tornado-config-version.cmake
  DESTINATION ${package_dir})
install(EXPORT tornado-targets NAMESPACE tornado:: DESTINATION ${package_dir})
