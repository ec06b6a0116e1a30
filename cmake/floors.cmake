# One floor of the house is one folder under src/ and one object library. Its sources are whatever lies in the folder: a new file
# needs no registration, as a new test needs none.
#
#   tornado_floor(<name> [LINKS <target>...])
#
# LINKS is what the floor needs whoever stands above it.
set(TORNADO_FLOORS "" CACHE INTERNAL "")

function(tornado_floor name)
  cmake_parse_arguments(FLOOR "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.c ${PROJECT_SOURCE_DIR}/src/${name}/*.S)
  if(NOT sources)
    return()
  endif()
  add_library(tornado_${name} OBJECT ${sources})
  target_link_libraries(tornado_${name} PUBLIC tornado_settings ${FLOOR_LINKS})
  target_compile_definitions(tornado_${name} PRIVATE TN_FLOOR="${name}")
  set(TORNADO_FLOORS ${TORNADO_FLOORS} ${name} CACHE INTERNAL "")
  set(TORNADO_LINKS_${name} ${FLOOR_LINKS} CACHE INTERNAL "")
endfunction()

# What of the floors so far is linked into a library: their objects, and what these need.
function(tornado_collect objects_name links_name)
  set(objects "")
  set(links "")
  foreach(floor ${TORNADO_FLOORS})
    list(APPEND objects $<TARGET_OBJECTS:tornado_${floor}>)
    list(APPEND links ${TORNADO_LINKS_${floor}})
  endforeach()
  set(${objects_name} ${objects} PARENT_SCOPE)
  set(${links_name} ${links} PARENT_SCOPE)
endfunction()

# The floors so far as tornado_engine, a position-independent archive with hidden symbols, for the Python face; not installed.
function(tornado_engine)
  tornado_collect(objects links)
  add_library(tornado_engine STATIC EXCLUDE_FROM_ALL ${objects})
  target_link_libraries(tornado_engine PUBLIC ${links})
  target_include_directories(tornado_engine PUBLIC ${PROJECT_SOURCE_DIR}/include)
endfunction()

# The two libraries made of all floors:
#
#   tornado         libtornado.so; exports what the public headers declare with TN_API and nothing else
#   tornado_static  libtornado.a, the same
function(tornado_libraries)
  tornado_collect(objects links)
  add_library(tornado_static STATIC ${objects})
  target_link_libraries(tornado_static PUBLIC ${links})

  add_library(tornado SHARED ${objects})
  target_link_libraries(tornado PRIVATE ${links} PUBLIC PkgConfig::JANSSON) # web.h speaks of json_t
  target_link_options(tornado PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/tornado.map)
  if(TORNADO_SANITIZE)
    target_link_options(tornado PRIVATE -fsanitize=${TORNADO_SANITIZE})
  else()
    target_link_options(tornado PRIVATE LINKER:--no-undefined)
  endif()
  set_target_properties(tornado PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/tornado.map)

  # The number of the binary interface: it is in the name of the shared library and of the version node in tornado.map. Old programs
  # keep running as long as it stays the same, whatever the version of the release.
  set(abi 1)
  set_target_properties(tornado PROPERTIES SOVERSION ${abi} VERSION ${abi}.${PROJECT_VERSION_MINOR}.${PROJECT_VERSION_PATCH})
  set_target_properties(tornado_static PROPERTIES OUTPUT_NAME tornado)
  foreach(library tornado tornado_static)
    set_target_properties(${library} PROPERTIES LINKER_LANGUAGE C)
    target_include_directories(${library} PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  endforeach()
endfunction()
