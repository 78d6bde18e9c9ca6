#include <string.h>

#include "count.h"

static const char release[] = "working copy";

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        printf("usage: lines < FILE (%s)\n", release);
        return 0;
    }
    printf("%ld\n", count_lines(stdin));
    return 0;
}
