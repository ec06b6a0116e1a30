/*
 * The main of a fuzz target where libFuzzer is not at hand: runs the target over every file of the folders given, which is how the
 * corpus takes part in the ordinary tests.
 */
#include "fuzz.h"

#include <dirent.h>

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return;
    static uint8_t bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    char *exact = fuzz_copy(bytes, n);
    LLVMFuzzerTestOneInput((const uint8_t *)exact, n);
    free(exact);
}

/* How many files there were. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) return 0;
    int files = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        replay_file(path);
        files++;
    }
    closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) files += replay_folder(argv[i]);
    printf("%d inputs\n", files);
    return files ? 0 : 1;
}
