/** MATLAB files that SciPy 1.17 wrote. */

// h, w, c, n = indices((32, 32, 3, 2)); savemat({'X': ((7*h + 3*w + 11*c + 5*n) % 16).astype('u1'), 'y': array([[10], [3]], 'u1')},
// do_compression=True)
export const svhnMat =
  "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFR1ZSBOb3YgMjQgMDQ6NDI6MjEgMjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAArwAAAHic7VM7DsIwFHMbmn6ghZGRY3AU7n8SnNCJwdnz3MhqrKfK8rN7AHg/gcz3Qqz4PRPxIF4nEjESA8/nvIPfYT6mW9qG5Z73y3Vc/7kYVS5GlYtR5Uq7cKVduNIuXJojl+bIpTlyvT3Mentp09vLeyMeNOJJjXiy84+df+/+3O/Y/Xb+WqB3f+537H47fy3g/fr/cv5x8+/dn/sdu9/OXwv07s/9jt1v568FvmT3tUQPAAAAKQAAAHic42NgYDAAYjYg5gBiTgYIYIXymYCYEYwZGSrBfCYGLmYGBgAYywDy";

// zlib.compress of savemat({'i': array([[-2, 7]], 'i2'), 'd': array([[0.5], [3]]), 'text': 'abc'}, do_compression=False)
export const plainMat =
  "eNrzdQzxcXRSMNUzUPB1DNFNy8xJVQjISSxJyy/KtVIoyC/OrNBRcC5KTSxJTVHIz7NSCClNVfDLL1MwMlEwMLEyMbIyMlQwMjAyYyADMHr68gEpAyBmA2IOIOaCSrFC+YxAzASmGRkygTQzAwvDv//sDCB9Dkj62ND0MUH1gvSlAGlOIBaAW/zAHkJzOKDbz4LFfmYwzcJQklpRIgDkJSYlMwAA26QeYg==";
