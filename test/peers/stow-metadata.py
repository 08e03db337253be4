"""Sends DICOM files to a STOW-RS service as metadata with bulk data beside it (PS3.18 10.5.1.2), reads them back by WADO-RS, and compares
element by element and frame by frame. Prints one line of JSON a file: {"file", "status", "problem"}.

usage: stow-metadata.py URL FILE...
"""
import json
import os
import sys
import urllib.error
import urllib.request
from io import BytesIO

import pydicom
from pydicom.encaps import generate_pixel_data_frame
from pydicom.uid import UID

# The media types of PS3.18 table 8.7.3-5.
MEDIA_TYPES = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
}
PIXEL_DATA = 0x7FE00010
DEFLATED = "1.2.840.10008.1.2.1.99"


def is_encapsulated(ds):
    uid = ds.file_meta.TransferSyntaxUID
    return UID(uid).is_compressed and uid != DEFLATED


def frames_of(ds):
    return list(generate_pixel_data_frame(ds.PixelData, int(ds.get("NumberOfFrames", 1) or 1)))


def message(ds, named):
    """The multipart body; `named`: whether the parts name their transfer syntax."""
    bulk = {}

    def handler(elem):
        uri = "bulk/%d" % len(bulk)
        bulk[uri] = elem
        return uri

    metadata = ds.to_json_dict(bulk_data_threshold=64, bulk_data_element_handler=handler)
    parts = [("application/dicom+json", None, json.dumps([metadata]).encode())]
    for uri, elem in bulk.items():
        if elem.tag == PIXEL_DATA and is_encapsulated(ds):
            syntax = ds.file_meta.TransferSyntaxUID
            media_type = MEDIA_TYPES.get(syntax, "image/jpeg")
            if named or syntax == "1.2.840.10008.1.2.4.91":  # its codestream may look like a lossless one
                media_type += "; transfer-syntax=" + syntax
            parts += [(media_type, uri, frame) for frame in frames_of(ds)]
        else:
            parts.append(("application/octet-stream", uri, bytes(elem.value)))
    body = b""
    for media_type, uri, content in parts:
        body += b"\r\n--boundary\r\nContent-Type: " + media_type.encode()
        if uri:
            body += b"\r\nContent-Location: " + uri.encode()
        body += b"\r\n\r\n" + content
    return body + b"\r\n--boundary--\r\n"


def ask(url, body=None):
    headers = {"Accept": "application/dicom+json" if body else "application/dicom; transfer-syntax=*"}
    if body:
        headers["Content-Type"] = 'multipart/related; type="application/dicom+json"; boundary=boundary'
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def value_of(elem):
    """Padding and the form of numbers do not count."""
    if elem.VR in ("OB", "OW", "OF", "OD", "OL", "OV", "UN"):
        return bytes(elem.value or b"").rstrip(b"\0")
    values = elem.value if isinstance(elem.value, (list, pydicom.multival.MultiValue)) else [elem.value]
    texts = [str(value if value is not None else "").rstrip(" \0") for value in values]
    if elem.VR in ("DS", "IS", "FL", "FD"):
        return [float(text) for text in texts if text]
    # Empty component groups of names at the end do not count.
    return [text.rstrip("=^") for text in texts] if any(texts) else []


def differences(one, other, where=""):
    for elem in one:
        # group lengths; the character set is UTF-8 in JSON; what QIDO-RS adds
        if elem.tag.element == 0 or elem.tag in (0x00080005, 0x00083002):
            continue
        at = "%s%s" % (where, elem.tag)
        if elem.tag not in other:
            yield "%s is missing" % at
        elif elem.VR == "SQ":
            if len(elem.value) != len(other[elem.tag].value):
                yield "%s has another number of items" % at
            for number, (item, item2) in enumerate(zip(elem.value, other[elem.tag].value)):
                yield from differences(item, item2, "%s[%d]." % (at, number))
        elif elem.tag == PIXEL_DATA and not where and is_encapsulated(one):
            frames, frames2 = frames_of(one), frames_of(other)
            # What was a JPEG 2000 file is stored as the codestream in it (PS3.5 8.2.4).
            if len(frames) != len(frames2) or any(two.rstrip(b"\0") not in one for one, two in zip(frames, frames2)):
                yield "frames differ"
        elif value_of(elem) != value_of(other[elem.tag]):
            yield "%s differs" % at


def main():
    url, files = sys.argv[1], sys.argv[2:]
    for number, file in enumerate(files):
        ds = pydicom.dcmread(file)
        try:
            body = message(ds, named=number % 2 == 0)
        except ValueError:  # what pydicom cannot say in JSON
            continue
        status, answer = ask(url + "/studies", body)
        problem = None
        if status in (200, 202):
            item = json.loads(answer)["00081199"]["Value"][0]
            status2, bytes2 = ask(item["00081190"]["Value"][0])
            stored = pydicom.dcmread(BytesIO(bytes2)) if status2 == 200 else None
            expected = ds.file_meta.TransferSyntaxUID if is_encapsulated(ds) else "1.2.840.10008.1.2.1"
            if stored is None:
                problem = "WADO-RS answers %d" % status2
            elif stored.file_meta.TransferSyntaxUID != expected:
                problem = "stored as %s" % stored.file_meta.TransferSyntaxUID
            else:
                problem = next(differences(ds, stored), None)
        else:
            problem = answer.decode("utf8", "replace")[:500]
        print(json.dumps({"file": os.path.basename(file), "status": status, "problem": problem}))


main()
