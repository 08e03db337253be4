"""Writes instances whose text is in every character set, and prints what pydicom reads in them.

usage: character-sets.py FOLDER FILES...

Every instance is a study of its own. Of FILES only the identity is changed: their text stays as it is, byte for byte.
Prints a line of JSON an instance: {file, study, terms, texts: {tag: [value, ...] or [item, ...]}, warnings}.
"""
import json
import os
import sys
import warnings

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRLittleEndian

folder, sources = sys.argv[1], sys.argv[2:]
secondary_capture = '1.2.840.10008.5.1.4.1.1.7'

encoded = {
    'ir100': ('ISO_IR 100', 'Buc^Jérôme'),
    'ir101': ('ISO_IR 101', 'Łódź^Żółć'),
    'ir109': ('ISO_IR 109', 'Ħaġa^Ĉu'),
    'ir110': ('ISO_IR 110', 'Ąžuolas^Ļena'),
    'ir126': ('ISO_IR 126', 'Διονυσιος^Νίκος'),
    'ir127': ('ISO_IR 127', 'قباني^لنزار'),
    'ir138': ('ISO_IR 138', 'שרון^דבורה'),
    'ir144': ('ISO_IR 144', 'Люксембург^Роза'),
    'ir148': ('ISO_IR 148', 'Çağrı^İpek'),
    'ir166': ('ISO_IR 166', 'สมชาย^ใจดี'),
    'ir13': ('ISO_IR 13', 'ﾔﾏﾀﾞ^ﾀﾛｳ'),
    'ir192': ('ISO_IR 192', 'Wang^XiaoDong=王^小東=ワン'),
    'gb18030': ('GB18030', 'Wang^XiaoDong=王^小东'),
    'gbk': ('GBK', 'Wang^XiaoDong=王^小东'),
    'ext100': (['ISO 2022 IR 6', 'ISO 2022 IR 100'], 'Dionysios=Rüdiger'),
    'ext144': (['ISO 2022 IR 100', 'ISO 2022 IR 144'], 'Rüdiger=Люк'),
    'ext126': (['ISO 2022 IR 100', 'ISO 2022 IR 126'], 'Buc^Jérôme=Διονυσιος'),
    'ext87': (['', 'ISO 2022 IR 87'], 'Yamada^Tarou=山田^太郎=やまだ^たろう'),
    'ext159': (['', 'ISO 2022 IR 87', 'ISO 2022 IR 159'], 'Yamada=丂^太郎'),
    'ext13': (['ISO 2022 IR 13', 'ISO 2022 IR 87'], 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'),
    'ext149': (['', 'ISO 2022 IR 149'], 'Hong^Gildong=洪^吉洞=홍^길동'),
}

# Bytes that stand in the file as they are: what pydicom does not write, and what is not as the standard has it.
raw = {
    'ext58': (['', 'ISO 2022 IR 58'], b'Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab'),
    'missing-latin1': (None, 'Müller^Jürgen'.encode('latin1')),
    'missing-utf8': (None, 'Müller^Jürgen'.encode('utf8')),
    'unknown': ('ISO_IR 999', 'Müller^Jürgen'.encode('latin1')),
    'not-utf8': ('ISO_IR 192', 'Müller^Jürgen'.encode('latin1')),
    'duplicate': (['ISO_IR 100', 'ISO_IR 100'], 'Müller^Jürgen'.encode('latin1')),
    'not-extendable': (['ISO_IR 100', 'ISO_IR 192'], 'Müller^Jürgen'.encode('latin1')),
    'misspelt': ('ISO-IR 100', 'Müller^Jürgen'.encode('latin1')),
}


def instance():
    made = Dataset()
    made.SOPClassUID = secondary_capture
    made.Modality = 'OT'
    return made


def write(number, name, dataset):
    dataset.SOPClassUID = secondary_capture
    dataset.StudyInstanceUID = f'2.25.77.{number}'
    dataset.SeriesInstanceUID = f'2.25.77.{number}.1'
    dataset.SOPInstanceUID = f'2.25.77.{number}.1.1'
    dataset.PatientID = name[:60]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = secondary_capture
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    path = os.path.join(folder, f'{name}.dcm')
    dataset.save_as(path, write_like_original=False)
    return path


def value(element):
    values = list(element.value) if isinstance(element.value, MultiValue) else [element.value]
    if element.VR != 'PN':
        return [str(one) for one in values]
    groups = ('Alphabetic', 'Ideographic', 'Phonetic')
    return [{k: v for k, v in zip(groups, str(one).split('=')) if v} for one in values]


def texts(dataset):
    found = {}
    for element in dataset:
        if element.tag.is_private:  # pydicom knows what devices mean by some of them
            continue
        tag = f'{element.tag.group:04X}{element.tag.element:04X}'
        if element.VR == 'SQ':
            found[tag] = [texts(item) for item in element.value]
        elif element.VR in ('PN', 'LO', 'SH', 'ST', 'LT', 'UT', 'UC') and element.value not in ('', None):
            found[tag] = value(element)
    return found


written = []
for source in sources:
    dataset = pydicom.dcmread(source, force=True)
    for keyword in ('PixelData', 'RedPaletteColorLookupTableData'):
        if keyword in dataset:
            del dataset[keyword]
    written.append(write(len(written) + 1, os.path.basename(source)[:-4], dataset))
for name, (terms, text) in encoded.items():
    dataset = instance()
    dataset.SpecificCharacterSet = terms
    dataset.PatientName = text
    dataset.PatientComments = text.split('=')[-1]
    dataset.StudyDescription = text.split('=')[-1]
    dataset.RequestAttributesSequence = [Dataset()]
    dataset.RequestAttributesSequence[0].ScheduledProcedureStepDescription = text.split('=')[-1]
    written.append(write(len(written) + 1, name, dataset))
for name, (terms, content) in raw.items():
    dataset = instance()
    if terms is not None:
        dataset.SpecificCharacterSet = 'ISO_IR 6' if name == 'unknown' else terms
    place = b'Q' + b'u' * (len(content) - 2) + b'z'
    dataset.PatientName = place.decode()
    path = write(len(written) + 1, name, dataset)
    with open(path, 'rb') as file:
        whole = file.read()
    assert whole.count(place) == 1
    whole = whole.replace(place, content)
    if name == 'unknown':
        whole = whole.replace(b'CS\x08\x00ISO_IR 6', b'CS\x0a\x00ISO_IR 999')
    with open(path, 'wb') as file:
        file.write(whole)
    written.append(path)

for path in written:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter('always')
        dataset = pydicom.dcmread(path)
        dataset.decode()
        found = texts(dataset)
    terms = dataset.get('SpecificCharacterSet')
    told = {
        'file': path,
        'study': str(dataset.StudyInstanceUID),
        'terms': list(terms) if isinstance(terms, MultiValue) else [terms],
        'texts': found,
        'warnings': [str(one.message) for one in warned],
    }
    print(json.dumps(told, ensure_ascii=False))
