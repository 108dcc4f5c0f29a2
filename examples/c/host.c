/* Runs a compiled model with inputs of 0.5 at the given precisions: host MODEL BITS... */
#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const OrtApi* ort;

static void Check(OrtStatus* status) {
  if (!status) return;
  fprintf(stderr, "%s\n", ort->GetErrorMessage(status));
  ort->ReleaseStatus(status);
  exit(1);
}

/* A float tensor of 0.5 with the shape of an input; unknown dimensions are 1. */
static OrtValue* CreateInput(const OrtSession* session, size_t index, OrtAllocator* allocator) {
  OrtTypeInfo* type;
  const OrtTensorTypeAndShapeInfo* info;
  size_t rank, count = 1;
  int64_t shape[8];
  OrtValue* value;
  float* data;
  Check(ort->SessionGetInputTypeInfo(session, index, &type));
  Check(ort->CastTypeInfoToTensorInfo(type, &info));
  Check(ort->GetDimensionsCount(info, &rank));
  if (rank > 8) {
    fprintf(stderr, "the input has more than 8 dimensions\n");
    exit(1);
  }
  Check(ort->GetDimensions(info, shape, rank));
  ort->ReleaseTypeInfo(type);
  for (size_t i = 0; i < rank; i++) {
    if (shape[i] < 1) shape[i] = 1;
    count *= (size_t)shape[i];
  }
  Check(ort->CreateTensorAsOrtValue(allocator, shape, rank, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value));
  Check(ort->GetTensorMutableData(value, (void**)&data));
  for (size_t i = 0; i < count; i++) data[i] = 0.5f;
  return value;
}

static void PrintRun(OrtSession* session, const char* input, const char* output, OrtValue* value, OrtValue* bits) {
  const char* names[] = {input, "nest_bits"};
  const OrtValue* values[] = {value, bits};
  OrtValue* result = NULL;
  OrtTensorTypeAndShapeInfo* info;
  size_t count;
  float* data;
  Check(ort->Run(session, NULL, names, values, 2, &output, 1, &result));
  Check(ort->GetTensorTypeAndShape(result, &info));
  Check(ort->GetTensorShapeElementCount(info, &count));
  Check(ort->GetTensorMutableData(result, (void**)&data));
  for (size_t i = 0; i < count; i++) printf(" %.4f", data[i]);
  printf("\n");
  ort->ReleaseTensorTypeAndShapeInfo(info);
  ort->ReleaseValue(result);
}

int main(int argc, char** argv) {
  OrtEnv* env;
  OrtSessionOptions* options;
  OrtSession* session;
  OrtAllocator* allocator;
  char *input, *output;
  OrtValue *value, *bits;
  int32_t* selector;
  size_t index = 0;
  if (argc < 3) {
    fprintf(stderr, "usage: host MODEL BITS...\n");
    return 2;
  }

  ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  Check(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "host", &env));
  Check(ort->CreateSessionOptions(&options));
  Check(ort->RegisterCustomOpsLibrary_V2(options, NESTQUANT_OPS));
  Check(ort->CreateSession(env, argv[1], options, &session));
  Check(ort->GetAllocatorWithDefaultOptions(&allocator));
  Check(ort->SessionGetInputName(session, index, allocator, &input));
  if (strcmp(input, "nest_bits") == 0) {
    Check(ort->AllocatorFree(allocator, input));
    Check(ort->SessionGetInputName(session, ++index, allocator, &input));
  }
  Check(ort->SessionGetOutputName(session, 0, allocator, &output));

  /* nest_bits is a scalar, which has no dimensions; what its tensor holds when a run starts is the run's precision. */
  value = CreateInput(session, index, allocator);
  Check(ort->CreateTensorAsOrtValue(allocator, NULL, 0, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, &bits));
  Check(ort->GetTensorMutableData(bits, (void**)&selector));
  for (int i = 2; i < argc; i++) {
    *selector = atoi(argv[i]);
    printf("%d bits:", *selector);
    PrintRun(session, input, output, value, bits);
  }

  ort->ReleaseValue(bits);
  ort->ReleaseValue(value);
  Check(ort->AllocatorFree(allocator, input));
  Check(ort->AllocatorFree(allocator, output));
  ort->ReleaseSession(session);
  ort->ReleaseSessionOptions(options);
  ort->ReleaseEnv(env);
  return 0;
}
