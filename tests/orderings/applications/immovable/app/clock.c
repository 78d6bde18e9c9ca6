#include <stdio.h>
#include <time.h>

static const char release[] = "working copy";

int main(void)
{
    time_t now = time(NULL);

    printf("%s%s\n", ctime(&now), release);
    return 0;
}
