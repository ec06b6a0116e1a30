# One floor of the house is one folder under src/ and one object library. Its sources are whatever lies in the folder: a new file
# needs no registration, as a new test needs none.
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

# libtornado, shared and static, from all floors.
function(tornado_libraries)
  set(objects "")
  set(links "")
  foreach(floor ${TORNADO_FLOORS})
    list(APPEND objects $<TARGET_OBJECTS:tornado_${floor}>)
    list(APPEND links ${TORNADO_LINKS_${floor}})
  endforeach()

  add_library(tornado_static STATIC ${objects})
  set_target_properties(tornado_static PROPERTIES OUTPUT_NAME tornado)
  target_link_libraries(tornado_static PUBLIC ${links})
  target_include_directories(tornado_static PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()
