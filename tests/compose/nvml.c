/* Stands in for NVIDIA's management library: one GPU. Built with -DSMI it is a program that stands in for nvidia-smi and
 * loads the library as that does. Interface: NVML API Reference, NVIDIA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef SMI
#include <dlfcn.h>

int main(void) {
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 9;
    }
    char version[80];
    int (*driver)(char *, unsigned) = (int (*)(char *, unsigned))dlsym(library, "nvmlSystemGetDriverVersion");
    driver(version, sizeof version);
    printf("NVIDIA-SMI %s\n", version);
    return 0;
}
#else
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory;
typedef struct { unsigned int gpu, memory; } utilization;
static int one;

/* STUB_NVML=driver: as without the kernel's module (NVML_ERROR_DRIVER_NOT_LOADED); device: with it, and no device. */
static int is(const char *state) { const char *set = getenv("STUB_NVML"); return set && !strcmp(set, state); }

int nvmlInit_v2(void) { return is("driver") ? 9 : 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { (void)code; return "stub"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = !is("device"); return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = &one; return index ? 2 : 0; }
int nvmlDeviceGetName(void *device, char *name, unsigned length) { (void)device; snprintf(name, length, "Stub GPU"); return 0; }
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned length) { (void)device; snprintf(uuid, length, "GPU-stub"); return 0; }
int nvmlDeviceGetMemoryInfo_v2(void *device, memory *info) {
    (void)device;
    info->total = 24ULL << 30; info->used = 1ULL << 30; info->free = 23ULL << 30;
    return 0;
}
int nvmlDeviceGetUtilizationRates(void *device, utilization *rates) { (void)device; rates->gpu = 42; rates->memory = 7; return 0; }
int nvmlSystemGetDriverVersion(char *version, unsigned length) { snprintf(version, length, "580.00"); return 0; }
int nvmlSystemGetCudaDriverVersion(int *version) { *version = 13000; return 0; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 13000; return 0; }
#endif
