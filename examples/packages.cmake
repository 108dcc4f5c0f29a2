# Target onnxruntime: ONNX Runtime's headers and library. Variable NESTQUANT_OPS: the operator library.
# A NuGet package is a zip file. -D ONNXRUNTIME=FOLDER -D NESTQUANT=FOLDER name the folders of two that were unpacked by hand; otherwise
# the .NET SDK fetches them.
function(fetch variable property)
  if(NOT ${variable})
    execute_process(
      COMMAND dotnet msbuild ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/packages.csproj -restore -t:ResolvePackageAssets -getProperty:${property}
      OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
    if(NOT status EQUAL 0 OR folder STREQUAL "")
      message(FATAL_ERROR "the packages could not be fetched:\n${folder}")
    endif()
    set(${variable} ${folder} CACHE PATH "folder of the package")
  endif()
endfunction()

fetch(ONNXRUNTIME PkgMicrosoft_ML_OnnxRuntime)
fetch(NESTQUANT PkgNestQuant_RuntimeOps_Native)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(runtime linux-arm64)
else()
  set(runtime linux-x64)
endif()
set(NESTQUANT_OPS ${NESTQUANT}/runtimes/${runtime}/native/libnestquant_ops.so)

# Programs look for the library by its name with a version, which the package leaves out.
set(library ${CMAKE_BINARY_DIR}/libonnxruntime.so.1)
file(CREATE_LINK ${ONNXRUNTIME}/runtimes/${runtime}/native/libonnxruntime.so ${library} SYMBOLIC)
add_library(onnxruntime SHARED IMPORTED)
set_target_properties(onnxruntime PROPERTIES
  IMPORTED_LOCATION ${library}
  INTERFACE_INCLUDE_DIRECTORIES ${ONNXRUNTIME}/build/native/include)
