#!/usr/bin/env python3
"""Phantoms for the reference pipelines, and what their results should be, computed without any code of the node's.

usage: reference-pipelines.py chest-phantoms MODEL_FOLDER OUT    four radiographs without and four with an opacity, a study each
       reference-pipelines.py atrium-phantom MODEL_FOLDER OUT    a cine series, and the masks of the atrium beside it
       reference-pipelines.py atrium MASKS SEG SOURCE            Dice over all frames, and the largest area (cm2) of the truth
       reference-pipelines.py brain SOURCE SEG                   volumes (mL), and mean signals of the two tissues
       reference-pipelines.py radiomics SOURCE SEG SR            features of the segment, computed and reported
       reference-pipelines.py denoise SOURCE RESULTS             differences (HU) from the same diffusion in numpy, and what became of the noise
       reference-pipelines.py kinetics SOURCE RESULTS            differences from the same maps in numpy
Prints JSON. Needs python3-pydicom and python3-numpy.
"""
import glob, importlib.util, json, os, sys
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid


def read(folder):
    return [pydicom.dcmread(f) for f in sorted(glob.glob(os.path.join(folder, '**', '*'), recursive=True)) if os.path.isfile(f)]


def key(values):
    return tuple(round(float(v), 2) for v in values)


def phantom_of(folder):
    spec = importlib.util.spec_from_file_location('phantom', os.path.join(folder, 'phantom.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.phantom


def image(pixels, sop_class, uids, values):
    study, series, instance = (generate_uid(entropy_srcs=[*uids[:n]]) for n in (1, 2, 3))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = sop_class, instance, ExplicitVRLittleEndian
    d = FileDataset('', {}, file_meta=meta, preamble=b'\0' * 128)
    d.is_little_endian, d.is_implicit_VR = True, False
    d.SpecificCharacterSet = 'ISO_IR 192'
    d.SOPClassUID, d.SOPInstanceUID, d.StudyInstanceUID, d.SeriesInstanceUID = sop_class, instance, study, series
    d.PatientName, d.PatientID, d.PatientBirthDate, d.PatientSex = 'Phantom^' + uids[0], uids[0], '', 'O'
    d.StudyDate = d.SeriesDate = d.ContentDate = d.AcquisitionDate = '20250101'
    d.StudyTime = d.SeriesTime = d.ContentTime = d.AcquisitionTime = '101500'
    d.AccessionNumber, d.StudyID, d.ReferringPhysicianName, d.Manufacturer = 'A-' + uids[0][-8:], '1', '', 'Drawn'
    d.SeriesNumber, d.StudyDescription = 1, 'PHANTOM'
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, 'MONOCHROME2'
    d.Rows, d.Columns = pixels.shape
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 12, 11, 0
    for k, v in values.items():
        setattr(d, k, v)
    d.PixelData = pixels.astype(np.uint16).tobytes()
    return d


def chest_phantoms(model, out):
    phantom, random, wanted, made = phantom_of(model), np.random.default_rng(7), {0: 4, 1: 4}, []
    while any(wanted.values()):
        pixels, label, _ = phantom(random)
        if not wanted[label]:
            continue
        wanted[label] -= 1
        name = f'chest-{len(made)}'
        values = {'Modality': 'CR', 'BodyPartExamined': 'CHEST', 'ViewPosition': 'PA', 'InstanceNumber': 1, 'PatientOrientation': ['L', 'F'],
                  'ImageType': ['ORIGINAL', 'PRIMARY'], 'ImagerPixelSpacing': [1.4, 1.4]}
        # Twice as many pixels as the model looks at, and every other one inverted.
        pixels = np.kron(pixels, np.ones((2, 2)))
        if len(made) % 2:
            pixels, values['PhotometricInterpretation'] = 1 - pixels, 'MONOCHROME1'
        d = image(np.rint(pixels * 4095), '1.2.840.10008.5.1.4.1.1.1', [name, 'series', '1'], values)
        os.makedirs(os.path.join(out, name))
        d.save_as(os.path.join(out, name, '1.dcm'), write_like_original=False)
        made.append({'folder': name, 'study': d.StudyInstanceUID, 'abnormal': label})
    return made


def atrium_phantom(model, out):
    pixels, mask = phantom_of(model)(np.random.default_rng(11))
    random, masks = np.random.default_rng(12), []
    os.makedirs(os.path.join(out, 'cine'))
    for n in range(8):  # the heart goes up and down by some millimetres
        shift = round(3 * np.sin(2 * np.pi * n / 8))
        frame = np.roll(pixels, shift, 0) + random.normal(0, 0.05, pixels.shape)
        masks.append(np.roll(mask, shift, 0))
        values = {'Modality': 'MR', 'BodyPartExamined': 'HEART', 'SeriesDescription': 'cine four-chamber', 'InstanceNumber': n + 1,
                  'ImageType': ['ORIGINAL', 'PRIMARY', 'M'], 'TriggerTime': n * 100, 'FrameOfReferenceUID': generate_uid(entropy_srcs=['atrium', 'frame of reference']),
                  'PositionReferenceIndicator': '', 'ImagePositionPatient': [-144, -144, 0], 'ImageOrientationPatient': [1, 0, 0, 0, 1, 0],
                  'PixelSpacing': [1.5, 1.5], 'SliceThickness': 8, 'ScanningSequence': 'GR', 'SequenceVariant': 'SS', 'ScanOptions': '',
                  'MRAcquisitionType': '2D', 'EchoTime': 1.5, 'RepetitionTime': 3, 'EchoTrainLength': 1, 'PatientPosition': 'HFS'}
        d = image(np.rint(np.clip(frame + 3, 0, None) * 400).clip(0, 4095), '1.2.840.10008.5.1.4.1.1.4', ['atrium', 'series', str(n)], values)
        d.save_as(os.path.join(out, 'cine', f'{n}.dcm'), write_like_original=False)
    np.save(os.path.join(out, 'masks.npy'), np.stack(masks))
    return {'study': d.StudyInstanceUID}


def frames_of(seg):
    """(segment, SOP instance of the source image, mask) of every frame of a binary segmentation."""
    n, size = int(seg.NumberOfFrames), seg.Rows * seg.Columns
    bits = np.unpackbits(np.frombuffer(seg.PixelData, np.uint8), bitorder='little')[: n * size].reshape(n, seg.Rows, seg.Columns)
    for item, mask in zip(seg.PerFrameFunctionalGroupsSequence, bits):
        source = item.DerivationImageSequence[0].SourceImageSequence[0]
        yield int(item.SegmentIdentificationSequence[0].ReferencedSegmentNumber), source.ReferencedSOPInstanceUID, mask > 0


def atrium(masks, seg, source):
    truth, order = np.load(masks) > 0, {d.SOPInstanceUID: int(d.InstanceNumber) - 1 for d in read(source)}
    found = np.zeros_like(truth)
    for _, uid, mask in frames_of(pydicom.dcmread(seg)):
        found[order[uid]] |= mask
    dice = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    return {'dice': dice, 'area': truth.sum((1, 2)).max() * 1.5 * 1.5 / 100, 'foundArea': found.sum((1, 2)).max() * 1.5 * 1.5 / 100}


def brain(source, seg):
    images, ds = {d.SOPInstanceUID: d for d in read(source)}, pydicom.dcmread(seg)
    found = {s.SegmentLabel: {'voxels': 0, 'sum': 0.0, 'number': int(s.SegmentNumber)} for s in ds.SegmentSequence}
    by_number = {f['number']: f for f in found.values()}
    measures = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    used = [images[uid] for _, uid, _ in frames_of(ds)]
    axes = [float(v) for v in used[0].ImageOrientationPatient]
    normal = np.cross(axes[:3], axes[3:])
    along = sorted({round(float(np.dot(normal, [float(v) for v in d.ImagePositionPatient])), 3) for d in used})
    voxel = float(measures.PixelSpacing[0]) * float(measures.PixelSpacing[1]) * float(np.median(np.diff(along))) / 1000
    for number, uid, mask in frames_of(ds):
        by_number[number]['voxels'] += int(mask.sum())
        by_number[number]['sum'] += float(images[uid].pixel_array[mask].sum())
    return {label: {'volume': f['voxels'] * voxel, 'signal': f['sum'] / f['voxels']} for label, f in found.items()}


def numbers_of(item):
    if item.get('ValueType') == 'NUM' and item.get('MeasuredValueSequence'):
        value = item.MeasuredValueSequence[0]
        yield item.ConceptNameCodeSequence[0].CodeValue, float(value.get('FloatingPointValue', value.NumericValue))
    for child in item.get('ContentSequence', []):
        yield from numbers_of(child)


def groups_of(item):
    """Measurement Groups of a report, in their order."""
    if item.get('ConceptNameCodeSequence') and item.ConceptNameCodeSequence[0].get('CodeValue') == '125007':
        yield item
    for child in item.get('ContentSequence', []):
        yield from groups_of(child)


def features(v, voxel):
    """What IBSI calls the features of intensity, by their codes, in numpy."""
    m = v.mean()
    return {'YEKZ': len(v) * voxel, 'Q4LE': m, 'ECT3': v.var(), 'KE2A': ((v - m) ** 3).mean() / v.std() ** 3,
            'IPH6': ((v - m) ** 4).mean() / v.var() ** 2 - 3, 'Y12H': np.median(v), '1GSF': v.min(), '84IY': v.max(), '2OJQ': np.ptp(v),
            '4FUA': np.abs(v - m).mean(), 'N8CA': (v**2).sum(), '5ZWQ': np.sqrt((v**2).mean())}


def radiomics(source, seg, sr):
    place = {key(d.ImagePositionPatient): d for d in read(source) if d.Modality == 'PT'}
    ds, values = pydicom.dcmread(seg), {}
    n, size = int(ds.NumberOfFrames), ds.Rows * ds.Columns
    bits = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder='little')[: n * size].reshape(n, ds.Rows, ds.Columns) > 0
    for item, mask in zip(ds.PerFrameFunctionalGroupsSequence, bits):
        d = place[key(item.PlanePositionSequence[0].ImagePositionPatient)]
        number = int(item.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        values.setdefault(number, []).append(d.pixel_array[mask] * float(d.RescaleSlope) + float(d.RescaleIntercept))
    z = sorted(position[2] for position in place)
    voxel = float(np.prod([float(s) for s in d.PixelSpacing])) * float(np.median(np.diff(z)))
    reported = [dict(numbers_of(group)) for group in groups_of(pydicom.dcmread(sr))]
    computed = [features(np.concatenate(values[number]), voxel) for number in sorted(values)]
    return [{'features': len(r), 'values': {k: [float(v), r.get(k)] for k, v in c.items()}} for c, r in zip(computed, reported, strict=True)]


def hounsfield(d):
    """HU; what is padding, and no pixel, is air."""
    stored = d.pixel_array.astype(np.float64)
    if 'PixelPaddingValue' in d:
        stored[d.pixel_array == d.PixelPaddingValue] = (-1024 - float(d.RescaleIntercept)) / float(d.RescaleSlope)
    return stored * float(d.RescaleSlope) + float(d.RescaleIntercept)


def diffused(x):
    """P. Perona, J. Malik, IEEE PAMI 12(7), 1990: as models/image-denoise says, in HU."""
    x = x / 20
    for _ in range(10):
        p, change = np.pad(x, 1, mode='edge'), np.zeros_like(x)
        for r in (-1, 0, 1):
            for c in (-1, 0, 1):
                d = p[1 + r : 1 + r + x.shape[0], 1 + c : 1 + c + x.shape[1]] - x
                change += (0.13 if r == 0 or c == 0 else 0.065) * d * np.exp(-((d / 2) ** 2))
        x = x + change
    return x * 20


def denoise(source, results):
    made = {d.SourceImageSequence[0].ReferencedSOPInstanceUID: d for d in read(results)}
    worst, before, after, drift = 0.0, [], [], []
    images = sorted(read(source), key=lambda d: float(d.ImagePositionPatient[2]))
    for d in images[::10]:
        was, now = hounsfield(d), hounsfield(made[d.SOPInstanceUID])
        worst = max(worst, float(np.abs(now - diffused(was)).max()))
        soft = (was > -20) & (was < 120)
        inside = soft[1:, 1:] & soft[:-1, 1:] & soft[1:, :-1]
        before.append(np.diff(was, axis=0)[:, 1:][inside].std())
        after.append(np.diff(now, axis=0)[:, 1:][inside].std())
        drift.append(abs(now[soft].mean() - was[soft].mean()))
    same = all(key(made[d.SOPInstanceUID].ImagePositionPatient) == key(d.ImagePositionPatient) for d in images)
    return {'images': len(made), 'of': len(images), 'worst': worst, 'noise': float(np.mean(after) / np.mean(before)), 'drift': float(max(drift)),
            'inPlace': same, 'kinds': sorted({d.ImageType[0] for d in made.values()})}


def kinetics(source, results):
    phases = {}
    for d in read(source):
        phases.setdefault(d.SeriesInstanceUID, []).append(d)
    seconds = lambda t: int(t[:2]) * 3600 + int(t[2:4]) * 60 + float(t[4:])
    started = {uid: min(seconds(str(d.AcquisitionTime)) for d in images) for uid, images in phases.items()}
    order = sorted(phases, key=started.get)
    places = sorted({key(d.ImagePositionPatient) for d in phases[order[0]]})
    volume = np.stack([[{key(d.ImagePositionPatient): d for d in phases[uid]}[p].pixel_array for p in places] for uid in order]).astype(np.float64)
    times = np.array([started[uid] - started[order[0]] for uid in order])
    base, peak = volume[0], volume.max(0)
    rise = (peak - base) / np.maximum(base, 1e-6)
    enhanced = (base > 0.15 * base.mean()) & (rise > 0.1)
    expected = {'s': np.where(enhanced, times[volume.argmax(0)], 0), '%': np.where(enhanced, rise * 100, 0)}
    out = {}
    for d in read(results):
        shared = d.SharedFunctionalGroupsSequence[0]
        unit = shared.RealWorldValueMappingSequence[0].MeasurementUnitsCodeSequence[0].CodeValue
        found = np.frombuffer(d.FloatPixelData, '<f4').reshape(int(d.NumberOfFrames), d.Rows, d.Columns)
        where = [places.index(key(i.PlanePositionSequence[0].ImagePositionPatient)) for i in d.PerFrameFunctionalGroupsSequence]
        differs = np.abs(found - expected[unit][where]) > 1e-3 * (1 + np.abs(expected[unit][where]))
        out[unit] = {'frames': len(where), 'of': len(places), 'differs': float(differs.mean()), 'enhanced': float(enhanced.mean()),
                     'values': len(np.unique(found)), 'highest': float(found.max())}
    return {'times': times.tolist(), 'maps': out}


commands = {'chest-phantoms': chest_phantoms, 'atrium-phantom': atrium_phantom, 'atrium': atrium, 'brain': brain, 'radiomics': radiomics,
            'denoise': denoise, 'kinetics': kinetics}
if len(sys.argv) < 2 or sys.argv[1] not in commands:
    sys.exit(__doc__)
print(json.dumps(commands[sys.argv[1]](*sys.argv[2:]), default=float))
