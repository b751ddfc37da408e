/*
 * Isobath for firmware written in C: kernels that train neural networks, with the same bits on every machine.
 *
 * Made from capi/src by `ci/capi`. Link libisobath_capi.a; no heap, no operating system, no double precision.
 *
 * Contract. Matrices are stored row by row without gaps. The caller owns all memory: a function reads and writes what
 * its arguments name, during the call only, and keeps no state, so threads and interrupts may call it at once with
 * memory of their own. A pointer must lead to as many elements as its description says. Elements that are read must have
 * been written before; they may hold any value, NaN included. What is written must not lie where any other argument
 * does, unless its description says so. NULL is allowed for 0 elements.
 *
 * Checked before anything is written: NULL, alignment, overlap, sizes beyond memory, codes, labels, bounds. A call
 * that does not return ISOBATH_STATUS_OK has written nothing. Whether as many elements are there cannot be checked.
 */

#ifndef ISOBATH_H
#define ISOBATH_H

#include <stddef.h>
#include <stdint.h>

/**
 * How a call ended. Unless it is OK, nothing has been written.
 */
enum IsobathStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Done.
   */
  ISOBATH_STATUS_OK = 0,
  /**
   * A pointer is null where elements are needed.
   */
  ISOBATH_STATUS_NULL = 1,
  /**
   * A pointer is not aligned to its type.
   */
  ISOBATH_STATUS_MISALIGNED = 2,
  /**
   * An operand is larger than memory.
   */
  ISOBATH_STATUS_TOO_LARGE = 3,
  /**
   * Something is written where another operand lies.
   */
  ISOBATH_STATUS_OVERLAP = 4,
  /**
   * A code names no activation, or no start of a product.
   */
  ISOBATH_STATUS_CODE = 5,
  /**
   * The workspace is neither empty nor as long as isobath_gemm_workspace_len says.
   */
  ISOBATH_STATUS_WORKSPACE = 6,
  /**
   * A label is not less than the number of classes.
   */
  ISOBATH_STATUS_LABEL = 7,
  /**
   * A norm to clip to is negative or NaN.
   */
  ISOBATH_STATUS_BOUND = 8,
  /**
   * Batch normalisation trains on 2 rows or more.
   */
  ISOBATH_STATUS_BATCH = 9,
  /**
   * Adam updates weights in a step that isobath_adam_advance has begun.
   */
  ISOBATH_STATUS_STEP = 10,
  /**
   * A defect of this library; please report it.
   */
  ISOBATH_STATUS_INTERNAL = 11,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum IsobathStatus IsobathStatus;
#else
typedef int32_t IsobathStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * An activation function f.
 */
enum IsobathActivation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * f(h) = h.
   */
  ISOBATH_ACTIVATION_IDENTITY = 0,
  /**
   * f(h) = max(h, 0).
   */
  ISOBATH_ACTIVATION_RELU = 1,
  /**
   * f(h) = h for h > 0, else parameter h.
   */
  ISOBATH_ACTIVATION_LEAKY_RELU = 2,
  /**
   * f(h) = h for h >= 0, else parameter (e^h - 1).
   */
  ISOBATH_ACTIVATION_ELU = 3,
  /**
   * f(h) = lambda h for h >= 0, else lambda alpha (e^h - 1), with the constants that keep mean 0 and variance 1.
   */
  ISOBATH_ACTIVATION_SELU = 4,
  /**
   * f(h) = 1 / (1 + e^-h).
   */
  ISOBATH_ACTIVATION_SIGMOID = 5,
  /**
   * f(h) = tanh h.
   */
  ISOBATH_ACTIVATION_TANH = 6,
  /**
   * f(h) = h times the normal distribution function of h.
   */
  ISOBATH_ACTIVATION_GELU = 7,
  /**
   * f(h) = h / 2 (1 + tanh(sqrt(2 / pi) (h + 0.044715 h^3))).
   */
  ISOBATH_ACTIVATION_GELU_TANH = 8,
  /**
   * f(h) = h / (1 + e^-h).
   */
  ISOBATH_ACTIVATION_SILU = 9,
  /**
   * f(h) = ln(1 + e^h).
   */
  ISOBATH_ACTIVATION_SOFTPLUS = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum IsobathActivation IsobathActivation;
#else
typedef uint32_t IsobathActivation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a product is added to.
 */
enum IsobathInit
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Nothing: C is overwritten.
   */
  ISOBATH_INIT_ZERO = 0,
  /**
   * C as it is.
   */
  ISOBATH_INIT_ACCUMULATE = 1,
  /**
   * A row of n values, the same for every row of C.
   */
  ISOBATH_INIT_BIAS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum IsobathInit IsobathInit;
#else
typedef uint32_t IsobathInit;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The gradient of one tensor.
 */
typedef struct {
  /**
   * Its elements.
   */
  float *data;
  /**
   * Their number.
   */
  size_t len;
} IsobathGradient;

/**
 * The size of a product C = op(A) op(B). op(A) is m x k, op(B) is k x n, C is m x n, all stored row by row without
 * gaps. A factor that is not transposed is stored as op(A) or op(B) is.
 */
typedef struct {
  /**
   * Rows of op(A) and of C.
   */
  size_t m;
  /**
   * Columns of op(B) and of C.
   */
  size_t n;
  /**
   * Columns of op(A), rows of op(B).
   */
  size_t k;
  /**
   * Nonzero: A is stored as k x m.
   */
  uint32_t transpose_a;
  /**
   * Nonzero: B is stored as n x k.
   */
  uint32_t transpose_b;
} IsobathShape;

/**
 * How Adam steps. 1 - beta is given beside beta, because 1 - 0.999f is 3e-5 away from 0.001f.
 */
typedef struct {
  /**
   * Step size; 0.001 in the paper.
   */
  float learning_rate;
  /**
   * What is kept of the mean gradient; 0.9.
   */
  float beta1;
  /**
   * 1 - beta1, rounded on its own; 0.1.
   */
  float one_minus_beta1;
  /**
   * What is kept of the mean square; 0.999.
   */
  float beta2;
  /**
   * 1 - beta2, rounded on its own; 0.001.
   */
  float one_minus_beta2;
  /**
   * Added to the root of the mean square; 1e-8.
   */
  float epsilon;
  /**
   * Decoupled decay: each step multiplies w by 1 - learning_rate weight_decay. 0 is Adam, more is AdamW.
   */
  float weight_decay;
} IsobathAdamSettings;

/**
 * The steps that Adam has made. All zero is the start.
 */
typedef struct {
  /**
   * Steps begun.
   */
  uint64_t step;
  /**
   * beta1^step, as the sum of two floats.
   */
  float power1[2];
  /**
   * beta2^step, as the sum of two floats.
   */
  float power2[2];
  /**
   * 1 - beta1^step and 1 - beta2^step, which make up for the start of m and v at zero.
   */
  float correction[2];
} IsobathAdamState;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library's bits: raised whenever any function's result changes for any input.
 */
uint32_t isobath_numerics_version(void);

/**
 * y = f(h), element by element. y may be h itself, but training needs h again.
 *
 * activation is a code, ISOBATH_ACTIVATION_...; parameter is read where the list of codes says so. All functions are
 * within 1 unit in the last place. Errors: ISOBATH_STATUS_CODE.
 */
IsobathStatus isobath_activation_forward(uint32_t activation,
                                         float parameter,
                                         const float *h,
                                         float *y,
                                         size_t len);

/**
 * dy becomes dx = dy f'(h), element by element: h is what isobath_activation_forward read, not what it wrote.
 *
 * relu'(0) = 0. Errors: ISOBATH_STATUS_CODE.
 */
IsobathStatus isobath_activation_backward(uint32_t activation,
                                          float parameter,
                                          const float *h,
                                          float *dy_to_dx,
                                          size_t len);

/**
 * y = gamma (x - mean) inv_std + beta, with mean and variance of each column and inv_std = 1 / sqrt(variance + epsilon).
 *
 * x and y are batch x channels, all others have an element per channel. mean, inv_std and the biased variance are written,
 * for isobath_batch_norm_backward and isobath_batch_norm_update_running. Errors: ISOBATH_STATUS_BATCH.
 */
IsobathStatus isobath_batch_norm_training(const float *x,
                                          size_t batch,
                                          size_t channels,
                                          const float *gamma,
                                          const float *beta,
                                          float epsilon,
                                          float *y,
                                          float *mean,
                                          float *inv_std,
                                          float *variance);

/**
 * y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the running mean and variance of each column.
 *
 * x and y are batch x channels, all others have an element per channel.
 */
IsobathStatus isobath_batch_norm_inference(const float *x,
                                           size_t batch,
                                           size_t channels,
                                           const float *gamma,
                                           const float *beta,
                                           const float *mean,
                                           const float *variance,
                                           float epsilon,
                                           float *y);

/**
 * With x^ = (x - mean) inv_std: d_beta = sum dy, d_gamma = sum dy x^,
 * dx = gamma inv_std (dy - d_beta / batch - x^ d_gamma / batch).
 *
 * x, dy and dx are batch x channels, all others have an element per channel; d_gamma and d_beta are written, not added to.
 * Errors: ISOBATH_STATUS_BATCH.
 */
IsobathStatus isobath_batch_norm_backward(const float *x,
                                          const float *dy,
                                          size_t batch,
                                          size_t channels,
                                          const float *gamma,
                                          const float *mean,
                                          const float *inv_std,
                                          float *dx,
                                          float *d_gamma,
                                          float *d_beta);

/**
 * r = fma(momentum, new - r, r) for the running mean and variance; the variance that is taken is the unbiased one,
 * batch / (batch - 1) times that of isobath_batch_norm_training. momentum is the weight of the new value; 0.1 is common.
 *
 * Errors: ISOBATH_STATUS_BATCH.
 */
IsobathStatus isobath_batch_norm_update_running(float *running_mean,
                                                float *running_variance,
                                                const float *mean,
                                                const float *variance,
                                                float momentum,
                                                size_t batch,
                                                size_t channels);

/**
 * g = g min(1, max_norm / norm) for all gradients, with norm their norm together, taken in the order of the list.
 *
 * The norm before clipping is written to *norm. Gradients with an infinite or NaN element are not changed; *norm is then
 * infinite or NaN. It is also infinite, and clipping right all the same, where the norm of finite gradients exceeds a float.
 * There are count gradients, none of which may lie where another does. Errors: ISOBATH_STATUS_BOUND.
 */
IsobathStatus isobath_clip_by_global_norm(const IsobathGradient *gradients,
                                          size_t count,
                                          float max_norm,
                                          float *norm);

/**
 * The number of floats of workspace with which products of this shape are fastest. On a microcontroller it is 0;
 * elsewhere a shorter buffer is an error, but none at all (NULL, 0) is always allowed. 0 if the shape is larger than memory.
 */
size_t isobath_gemm_workspace_len(IsobathShape shape);

/**
 * C = init + op(A) op(B).
 *
 * init is a code, ISOBATH_INIT_...; bias has n elements and is read only with ISOBATH_INIT_BIAS, else it may be NULL.
 * What the workspace holds does not matter and is lost. Forward is X W + b; backward is dX = dY W^T and dW = X^T dY.
 * Each element is a chain of fused multiply-adds over k, in blocks of 256 whose sums are added in order.
 * Errors: ISOBATH_STATUS_CODE, ISOBATH_STATUS_WORKSPACE.
 */
IsobathStatus isobath_gemm(IsobathShape shape,
                           const float *a,
                           const float *b,
                           uint32_t init,
                           const float *bias,
                           float *c,
                           float *workspace,
                           size_t workspace_len);

/**
 * W = W - learning_rate op(A) op(B), with the bits of the product followed by isobath_sgd: a step of gradient descent
 * whose gradient X^T dY is nowhere stored. W is m x n.
 *
 * Errors: ISOBATH_STATUS_WORKSPACE.
 */
IsobathStatus isobath_gemm_sgd(IsobathShape shape,
                               float learning_rate,
                               const float *a,
                               const float *b,
                               float *w,
                               float *workspace,
                               size_t workspace_len);

/**
 * out_j = the sum over rows i of x_ij: the gradient of a bias. x is rows x columns.
 *
 * Per column a chain over each block of 64 rows; the blocks' sums are added in order.
 */
IsobathStatus isobath_column_sums(const float *x, size_t rows, size_t columns, float *out);

/**
 * The softmax of each row: p_j = e^z_j / sum e^z. Logits and probabilities are rows x classes.
 *
 * Logits of any finite size are fine. A row with NaN or +infinity becomes NaN.
 */
IsobathStatus isobath_softmax(const float *logits,
                              size_t rows,
                              size_t classes,
                              float *probabilities);

/**
 * loss = the mean over the rows of -ln p_label, in nats, and its gradient d_logits = (p - onehot(label)) / rows.
 *
 * Logits and d_logits are rows x classes; there is a label per row, less than classes, counted from 0. Without rows the
 * loss is NaN. Errors: ISOBATH_STATUS_LABEL.
 */
IsobathStatus isobath_softmax_cross_entropy(const float *logits,
                                            const uint32_t *labels,
                                            size_t rows,
                                            size_t classes,
                                            float *d_logits,
                                            float *loss);

/**
 * w = fma(-learning_rate, g, w).
 */
IsobathStatus isobath_sgd(float learning_rate, float *w, const float *g, size_t len);

/**
 * v = fma(momentum, v, g), then w = fma(-learning_rate, v, w). v starts as zeros.
 */
IsobathStatus isobath_momentum(float learning_rate,
                               float momentum,
                               float *w,
                               float *v,
                               const float *g,
                               size_t len);

/**
 * Begins a step: call it once, then isobath_adam for each tensor.
 */
IsobathStatus isobath_adam_advance(IsobathAdamSettings settings, IsobathAdamState *state);

/**
 * m = fma(beta1, m, (1 - beta1) g), v = fma(beta2, v, ((1 - beta2) g) g),
 * w = fma(-learning_rate / c1, m / (sqrt(v / c2) + epsilon), (1 - learning_rate weight_decay) w), with c = 1 - beta^step.
 *
 * m and v start as zeros. Errors: ISOBATH_STATUS_STEP.
 */
IsobathStatus isobath_adam(IsobathAdamSettings settings,
                           const IsobathAdamState *state,
                           float *w,
                           float *m,
                           float *v,
                           const float *g,
                           size_t len);

/**
 * What a status means: a sentence in English, in static memory. Takes any number; never returns null.
 */
const char *isobath_status_text(int32_t status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ISOBATH_H */
