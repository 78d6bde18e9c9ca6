#include "count.h"

int main(void)
{
    FILE *file = tmpfile();

    fputs("a\nb\nc", file);
    rewind(file);
    return count_lines(file) == 3 ? 0 : 1;
}
