/* The operators of com.nestquant for ONNX Runtime: what libnestquant_ops exports. */
#ifndef NESTQUANT_OPS_H
#define NESTQUANT_OPS_H

/* Types of onnxruntime_c_api.h, which need not be included. */
struct OrtApiBase;
struct OrtSessionOptions;
struct OrtStatus;

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes the operators known to sessions that are created with these options, for a host that links the library:
 *     RegisterCustomOps(options, OrtGetApiBase())
 * A host that loads it by path calls ONNX Runtime's RegisterCustomOpsLibrary_V2, which calls this function.
 * Returns null, or a status that says what went wrong and that the caller releases.
 */
struct OrtStatus* RegisterCustomOps(struct OrtSessionOptions* options, const struct OrtApiBase* api_base);

#ifdef __cplusplus
}
#endif

#endif
