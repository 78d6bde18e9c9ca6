#include "count.h"

long count_lines(FILE *in)
{
    long lines = 0;
    int c, last = '\n';

    while ((c = getc(in)) != EOF) {
        if (c == '\n')
            lines++;
        last = c;
    }
    return lines + (last != '\n');
}
