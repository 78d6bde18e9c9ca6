#ifndef COUNT_H
#define COUNT_H

#include <stdio.h>

/* Counts the lines of a stream; a last line without its end counts too. */
long count_lines(FILE *in);

#endif
