/*
 * Learns to tell square waves, sawtooths and triangles apart by 32 noisy samples, with static memory only.
 *
 * 32-16-3, ReLU, softmax cross-entropy, clipping by the global norm, Adam. Prints a hash of the weights, which is the
 * same on every machine: random numbers are integers, and samples and initial weights are fractions that a float holds exactly.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobath.h"

enum { INPUTS = 32, HIDDEN = 16, CLASSES = 3, BATCH = 16, STEPS = 1000, TEST_BATCHES = 6 };

/* The shape of the parameters, of their gradients, and of Adam's two states. */
typedef struct {
    float w1[INPUTS * HIDDEN], b1[HIDDEN];
    float w2[HIDDEN * CLASSES], b2[CLASSES];
} Network;

static Network network, gradient, mean, square;
static IsobathAdamState adam; /* all zero: no step made */
static const IsobathAdamSettings settings = {
    .learning_rate = 0.01f,
    .beta1 = 0.9f,
    .one_minus_beta1 = 0.1f,
    .beta2 = 0.999f,
    .one_minus_beta2 = 0.001f,
    .epsilon = 1e-8f,
};

#define TENSOR(name) \
    {network.name, mean.name, square.name, {gradient.name, sizeof network.name / sizeof *network.name}}
static const struct {
    float *w, *m, *v;
    IsobathGradient g;
} tensors[] = {TENSOR(w1), TENSOR(b1), TENSOR(w2), TENSOR(b2)};
enum { TENSORS = sizeof tensors / sizeof *tensors };

/* A batch on its way through the network and back. */
static float x[BATCH * INPUTS], h[BATCH * HIDDEN], y[BATCH * HIDDEN], logits[BATCH * CLASSES];
static float d_logits[BATCH * CLASSES], d_h[BATCH * HIDDEN];
static uint32_t labels[BATCH];

static void check(IsobathStatus status) {
    if (status != ISOBATH_STATUS_OK) {
        fprintf(stderr, "isobath: %s\n", isobath_status_text(status));
        exit(1);
    }
}

/* Marsaglia's xorshift with 32 bits; 0 <= result < n. */
static uint32_t below(uint32_t n) {
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (state >> 8) % n;
}

/* Waves of 16 samples with a random phase, and noise of half their height. */
static void draw_batch(void) {
    for (int row = 0; row < BATCH; row++) {
        labels[row] = below(CLASSES);
        uint32_t phase = below(16);
        for (int i = 0; i < INPUTS; i++) {
            int t = (int)((phase + (uint32_t)i) % 16);
            int wave[CLASSES] = {t < 8 ? 48 : -48, 6 * t - 45, t < 8 ? 12 * t - 42 : 138 - 12 * t};
            int noise = (int)below(64) - 32;
            x[row * INPUTS + i] = (float)(wave[labels[row]] + noise) / 64.0f;
        }
    }
}

/* Uniform in [-1/2, 1/2). */
static void draw_weights(float *w, size_t len) {
    for (size_t i = 0; i < len; i++) {
        w[i] = (float)((int)below(65536) - 32768) / 65536.0f;
    }
}

/* logits = relu(x W1 + b1) W2 + b2. A microcontroller needs no workspace. */
static void forward(void) {
    IsobathShape first = {.m = BATCH, .n = HIDDEN, .k = INPUTS};
    IsobathShape second = {.m = BATCH, .n = CLASSES, .k = HIDDEN};
    check(isobath_gemm(first, x, network.w1, ISOBATH_INIT_BIAS, network.b1, h, NULL, 0));
    check(isobath_activation_forward(ISOBATH_ACTIVATION_RELU, 0.0f, h, y, BATCH * HIDDEN));
    check(isobath_gemm(second, y, network.w2, ISOBATH_INIT_BIAS, network.b2, logits, NULL, 0));
}

/* From d_logits to the gradient of every parameter. */
static void backward(void) {
    IsobathShape d_w1 = {.m = INPUTS, .n = HIDDEN, .k = BATCH, .transpose_a = 1};
    IsobathShape d_w2 = {.m = HIDDEN, .n = CLASSES, .k = BATCH, .transpose_a = 1};
    IsobathShape d_y = {.m = BATCH, .n = HIDDEN, .k = CLASSES, .transpose_b = 1};
    check(isobath_gemm(d_w2, y, d_logits, ISOBATH_INIT_ZERO, NULL, gradient.w2, NULL, 0));
    check(isobath_column_sums(d_logits, BATCH, CLASSES, gradient.b2));
    check(isobath_gemm(d_y, d_logits, network.w2, ISOBATH_INIT_ZERO, NULL, d_h, NULL, 0));
    check(isobath_activation_backward(ISOBATH_ACTIVATION_RELU, 0.0f, h, d_h, BATCH * HIDDEN));
    check(isobath_gemm(d_w1, x, d_h, ISOBATH_INIT_ZERO, NULL, gradient.w1, NULL, 0));
    check(isobath_column_sums(d_h, BATCH, HIDDEN, gradient.b1));
}

static void update(void) {
    IsobathGradient gradients[TENSORS];
    for (int i = 0; i < TENSORS; i++) {
        gradients[i] = tensors[i].g;
    }
    float norm;
    check(isobath_clip_by_global_norm(gradients, TENSORS, 1.0f, &norm));
    check(isobath_adam_advance(settings, &adam));
    for (int i = 0; i < TENSORS; i++) {
        check(isobath_adam(settings, &adam, tensors[i].w, tensors[i].m, tensors[i].v, tensors[i].g.data, tensors[i].g.len));
    }
}

/* How many of the batch have their label's logit above all others. */
static int count_right(void) {
    int right = 0;
    for (int row = 0; row < BATCH; row++) {
        const float *z = logits + row * CLASSES;
        uint32_t best = 0;
        for (uint32_t j = 1; j < CLASSES; j++) {
            best = z[j] > z[best] ? j : best;
        }
        right += best == labels[row];
    }
    return right;
}

/* FNV-1a over the little-endian bytes of all parameters. */
static uint64_t hash(void) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < TENSORS; i++) {
        for (size_t j = 0; j < tensors[i].g.len; j++) {
            uint32_t bits;
            memcpy(&bits, &tensors[i].w[j], sizeof bits);
            for (int byte = 0; byte < 4; byte++) {
                hash = (hash ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3u;
            }
        }
    }
    return hash;
}

int main(void) {
    draw_weights(network.w1, INPUTS * HIDDEN);
    draw_weights(network.w2, HIDDEN * CLASSES);
    for (int step = 0; step < STEPS; step++) {
        float loss;
        draw_batch();
        forward();
        check(isobath_softmax_cross_entropy(logits, labels, BATCH, CLASSES, d_logits, &loss));
        backward();
        update();
    }
    int right = 0;
    for (int batch = 0; batch < TEST_BATCHES; batch++) {
        draw_batch();
        forward();
        right += count_right();
    }
    printf("%016llx classifier 32-16-3, %d steps: %d of %d right\n", (unsigned long long)hash(), STEPS, right,
           TEST_BATCHES * BATCH);
    return 0;
}
