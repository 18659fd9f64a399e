// A Python extension that leaks, for the tests of the leak report: native code that a script calls
// is where Python programs lose memory that Python itself knows nothing of.
//
// The markers are those of leak.c. Each function takes one argument: true frees all it allocates.

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static NOINLINE void lose(void *block, int clean) {
    __asm__ volatile("" : : "r"(block) : "memory");
    if (clean)
        free(block);
}

static NOINLINE void *make_record(size_t size) {
    // LEAK: 5 blocks, 320 bytes in make_record, called by keep_records
    // LEAK: 1 block, 2000 bytes in make_record, called by keep_large_record
    char *record = malloc(size);
    record[0] = 'r';
    return record;
}

static PyObject *keep_records(PyObject *module, PyObject *clean) {
    (void)module;
    for (int i = 0; i < 5; i++)
        lose(make_record(64), clean == Py_True); // CALLER: keep_records
    Py_RETURN_NONE;
}

static PyObject *keep_large_record(PyObject *module, PyObject *clean) {
    (void)module;
    lose(make_record(2000), clean == Py_True); // CALLER: keep_large_record
    Py_RETURN_NONE;
}

static PyObject *keep_table(PyObject *module, PyObject *clean) {
    (void)module;
    for (int i = 0; i < 3; i++)
        lose(calloc(100, 8), clean == Py_True); // LEAK: 3 blocks, 2400 bytes in keep_table
    Py_RETURN_NONE;
}

static PyObject *keep_name(PyObject *module, PyObject *clean) {
    (void)module;
    lose(strdup("leaky name"), clean == Py_True); // LEAK: 1 block, 11 bytes in keep_name
    Py_RETURN_NONE;
}

// Through the interpreter's own door to malloc.
static PyObject *keep_raw(PyObject *module, PyObject *clean) {
    (void)module;
    void *raw = PyMem_RawMalloc(700); // LEAK: 1 block, 700 bytes in keep_raw
    __asm__ volatile("" : : "r"(raw) : "memory");
    if (clean == Py_True)
        PyMem_RawFree(raw);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"keep_records", keep_records, METH_O, "Loses five small records."},
    {"keep_large_record", keep_large_record, METH_O, "Loses one large record."},
    {"keep_table", keep_table, METH_O, "Loses three tables."},
    {"keep_name", keep_name, METH_O, "Loses a string."},
    {"keep_raw", keep_raw, METH_O, "Loses a block of the interpreter's raw allocator."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef leaky = {
    PyModuleDef_HEAD_INIT, "leaky", "Functions that lose memory.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_leaky(void) {
    return PyModule_Create(&leaky);
}
