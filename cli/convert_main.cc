// gauge-convert: `gauge convert` under the name of a command of its own.
#include "cli/verbs.h"

int main(int argc, char** argv) { return gauge::cli::run_verb("convert", {argv + 1, argv + argc}); }
