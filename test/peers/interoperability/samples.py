"""Samples of transfer syntaxes for every client, written by pydicom from public files: the same pixel data under new UIDs.

samples.py DATA_FOLDER OUT_FOLDER CLIENT...: reads {transfer syntax: path in the data folder} as JSON from standard input, writes
OUT_FOLDER/CLIENT/TRANSFER_SYNTAX.dcm, each client's in a study of its own, and prints what it wrote as JSON.
"""
import json
import sys
import warnings
from pathlib import Path

import pydicom
from pydicom._uid_dict import UID_dictionary
from pydicom.uid import generate_uid

warnings.simplefilter("ignore")


def main(data, out, *clients):
    written = []
    files = json.load(sys.stdin)
    for syntax in files:
        # pydicom 2.3 does not know the newest ones, and would not write them.
        UID_dictionary.setdefault(syntax, (syntax, "Transfer Syntax", "", "", ""))
    for client in clients:
        folder = Path(out) / client
        folder.mkdir()
        for number, (syntax, name) in enumerate(files.items(), 1):
            sample = pydicom.dcmread(Path(data) / name)
            sample.PatientID = client
            sample.PatientName = f"Sample^{client}"
            sample.StudyInstanceUID = generate_uid(entropy_srcs=[client])
            sample.SeriesInstanceUID = generate_uid(entropy_srcs=[client, syntax])
            sample.SOPInstanceUID = generate_uid(entropy_srcs=[client, syntax, "1"])
            sample.SeriesNumber = number
            sample.InstanceNumber = 1
            sample.file_meta.MediaStorageSOPInstanceUID = sample.SOPInstanceUID
            file = folder / f"{syntax}.dcm"
            sample.save_as(file)
            written.append({
                "client": client,
                "file": str(file),
                "transferSyntaxUID": syntax,
                "sopClassUID": sample.SOPClassUID,
                "sopInstanceUID": sample.SOPInstanceUID,
                "seriesInstanceUID": sample.SeriesInstanceUID,
                "studyInstanceUID": sample.StudyInstanceUID,
            })
    print(json.dumps(written))


main(*sys.argv[1:])
