"""Validates XML documents, one a line of standard input, against the RELAX NG schema of the first argument, with libxml2."""

import ctypes
import ctypes.util
import sys

name = ctypes.util.find_library("xml2")
if name is None:
    sys.exit(3)
xml = ctypes.CDLL(name)
for function in ("xmlRelaxNGNewParserCtxt", "xmlRelaxNGParse", "xmlRelaxNGNewValidCtxt", "xmlReadMemory"):
    getattr(xml, function).restype = ctypes.c_void_p
schema = xml.xmlRelaxNGParse(ctypes.c_void_p(xml.xmlRelaxNGNewParserCtxt(sys.argv[1].encode())))
if not schema:
    sys.exit("the schema cannot be read")
for number, line in enumerate(sys.stdin.buffer, 1):
    text = line.rstrip(b"\n")
    document = xml.xmlReadMemory(text, len(text), b"message.xml", None, 0)
    if not document:
        sys.exit(f"document {number} is no XML")
    validation = xml.xmlRelaxNGNewValidCtxt(ctypes.c_void_p(schema))
    if xml.xmlRelaxNGValidateDoc(ctypes.c_void_p(validation), ctypes.c_void_p(document)) != 0:
        sys.exit(f"document {number} does not follow the schema")
print("valid")
