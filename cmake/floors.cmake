# One floor of the house is one folder under src/ and one object library. Its sources are whatever lies in the folder: a new file
# needs no registration, as a new test needs none.
#
#   tornado_floor(<name> [LINKS <target>...] [C_FACE_LINKS <target>...])
#
# LINKS is what the floor needs whoever stands above it; C_FACE_LINKS is what only the C face uses, so the engine archive, which the
# Python face links, does not ask for it.
set(TORNADO_FLOORS "" CACHE INTERNAL "")
set(TORNADO_ENGINE_FLOORS base core net http web)

function(tornado_floor name)
  cmake_parse_arguments(FLOOR "" "" "LINKS;C_FACE_LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.c ${PROJECT_SOURCE_DIR}/src/${name}/*.S)
  if(NOT sources)
    return()
  endif()
  add_library(tornado_${name} OBJECT ${sources})
  target_link_libraries(tornado_${name} PUBLIC tornado_settings ${FLOOR_LINKS} ${FLOOR_C_FACE_LINKS})
  target_compile_definitions(tornado_${name} PRIVATE TN_FLOOR="${name}")
  set(TORNADO_FLOORS ${TORNADO_FLOORS} ${name} CACHE INTERNAL "")
  set(TORNADO_LINKS_${name} ${FLOOR_LINKS} CACHE INTERNAL "")
  set(TORNADO_C_FACE_LINKS_${name} ${FLOOR_C_FACE_LINKS} CACHE INTERNAL "")
endfunction()

# The three libraries made of the floors:
#
#   tornado         libtornado.so, all floors; exports what the public headers declare with TN_API and nothing else
#   tornado_static  libtornado.a, the same
#   tornado_engine  base to web as a position-independent archive with hidden symbols, for the Python face; not installed
function(tornado_libraries)
  set(objects "")
  set(engine_objects "")
  set(links "")
  set(engine_links "")
  foreach(floor ${TORNADO_FLOORS})
    list(APPEND objects $<TARGET_OBJECTS:tornado_${floor}>)
    list(APPEND links ${TORNADO_LINKS_${floor}} ${TORNADO_C_FACE_LINKS_${floor}})
    if(floor IN_LIST TORNADO_ENGINE_FLOORS)
      list(APPEND engine_objects $<TARGET_OBJECTS:tornado_${floor}>)
      list(APPEND engine_links ${TORNADO_LINKS_${floor}})
    endif()
  endforeach()

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

  add_library(tornado_engine STATIC EXCLUDE_FROM_ALL ${engine_objects})
  target_link_libraries(tornado_engine PUBLIC ${engine_links})

  # The number of the binary interface: it is in the name of the shared library and of the version node in tornado.map. Old programs
  # keep running as long as it stays the same, whatever the version of the release.
  set(abi 1)
  set_target_properties(tornado PROPERTIES SOVERSION ${abi} VERSION ${abi}.${PROJECT_VERSION_MINOR}.${PROJECT_VERSION_PATCH})
  set_target_properties(tornado_static PROPERTIES OUTPUT_NAME tornado)
  foreach(library tornado tornado_static tornado_engine)
    set_target_properties(${library} PROPERTIES LINKER_LANGUAGE C)
    target_include_directories(${library} PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  endforeach()
endfunction()
