"""The Python side of pipeline.mjs: the job of models/ct-lung-density with pydicom, numpy and scipy, as one would write it with care.

From the DICOM files of a folder to a SEG and an SR file: the same reading to Hounsfield units, the same model in the same slabs, the same
shapes after it (scipy.ndimage), the same measurements, a BINARY SEG with functional groups per frame and a Comprehensive 3D SR, both
written by pydicom. The model runs in ONNX Runtime for Node (pipeline-model.mjs): a child of this process, slabs go through pipes.
Volumes are Int16 and masks bytes; what is large is let go when it is used no more; scipy works in boxes wherever the shape allows it.

    /usr/bin/python3 pipeline_python.py FOLDER OUT MODEL NODE_SCRIPT THREADS

Files have to be uncompressed. Lungs that touch are not separated here: such a scan is refused. Prints one line of JSON: the findings.
"""

import json
import pathlib
import struct
import subprocess
import sys
import time

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

AIR = -500
SLAB, HALO = 4, 1
FACES = ndimage.generate_binary_structure(3, 1)
CORNERS = ndimage.generate_binary_structure(3, 3)


def read(folder):
    """Headers in the order of their positions, and the volume: z to the head, y to the back, x to the left; Int16, HU."""
    headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in sorted(pathlib.Path(folder).iterdir())]
    orientation = np.array(headers[0].ImageOrientationPatient, float)
    normal = np.cross(orientation[:3], orientation[3:])
    headers.sort(key=lambda header: float(np.dot(normal, np.array(header.ImagePositionPatient, float))))
    if not np.allclose(orientation, [1, 0, 0, 0, 1, 0], atol=1e-3):
        raise SystemExit("axial slices are expected")
    positions = np.array([header.ImagePositionPatient for header in headers], float) @ normal
    steps = np.diff(positions)
    if np.ptp(steps) > 0.01 * steps.mean():
        raise SystemExit("the slices are not evenly spaced")
    volume = np.empty((len(headers), headers[0].Rows, headers[0].Columns), np.int16)
    for z, header in enumerate(headers):
        image = pydicom.dcmread(header.filename)
        slope, intercept = float(image.RescaleSlope), float(image.RescaleIntercept)
        values = image.pixel_array
        volume[z] = values + int(intercept) if slope == 1 and intercept == int(intercept) else np.rint(values * slope + intercept)
    spacing = (float(steps.mean()), float(headers[0].PixelSpacing[0]), float(headers[0].PixelSpacing[1]))
    return headers, volume, spacing


def run_model(volume, model, script, threads):
    """The candidates of the model, slab by slab with a halo; and the seconds of its runs alone."""
    child = subprocess.Popen(["node", script, model, threads], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    result = np.empty(volume.shape, np.uint8)
    depth = volume.shape[0]
    for start in range(0, depth, SLAB):
        end = min(depth, start + SLAB)
        low, high = max(0, start - HALO), min(depth, end + HALO)
        slab = volume[low:high].astype(np.float32)
        child.stdin.write(struct.pack("<3I", *slab.shape))
        child.stdin.write(slab.data.cast("B"))
        child.stdin.flush()
        found = np.empty(slab.shape, np.uint8)
        child.stdout.readinto(found.data.cast("B"))
        result[start:end] = found[start - low : end - low]
    child.stdin.close()
    seconds = struct.unpack("<d", child.stdout.read(8))[0]
    child.wait()
    return result.astype(bool, copy=False) if result.dtype == bool else result.view(bool), seconds


def remove_outside_air(volume, air):
    for z in range(volume.shape[0]):
        parts, count = ndimage.label(volume[z] <= AIR)
        open_parts = np.zeros(count + 1, bool)
        for border in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
            open_parts[border] = True
        open_parts[0] = False
        air[z] &= ~open_parts[parts]


def body_middle(plane):
    columns = (plane >= -200).sum(axis=0)
    total = columns.sum()
    return plane.shape[1] / 2 if total == 0 else (columns * np.arange(plane.shape[1])).sum() / total


def sections(volume, air, z, spacing):
    """Round dark sections near the middle of the body in a slice."""
    _, sy, sx = spacing
    parts, count = ndimage.label(air[z])
    if count == 0:
        return []
    middle = body_middle(volume[z])
    found = []
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    for index, box in enumerate(ndimage.find_objects(parts), 1):
        area = areas[index] * sx * sy
        height, width = (box[0].stop - box[0].start) * sy, (box[1].stop - box[1].start) * sx
        if not (60 <= area <= 900 and max(width, height) <= 45 and area >= width * height * 0.5):
            continue
        mask = parts[box] == index
        if volume[z][box][mask].mean() > -850:
            continue
        x = box[1].start + (mask.sum(axis=0) * np.arange(mask.shape[1])).sum() / mask.sum()
        if abs(x - middle) * sx >= 60:
            continue
        row = int(mask.sum(axis=1).argmax())
        columns = np.flatnonzero(mask[row])
        seed = (z, box[0].start + row, box[1].start + int(columns[len(columns) // 2]))
        found.append({"seed": seed, "x": x, "box": box})
    return found


def find_trachea(volume, air, spacing):
    needed = max(2, int(np.ceil(25 / spacing[0])))
    tracks = []
    for z in range(volume.shape[0] - 1, int(volume.shape[0] * 0.4) - 1, -1):
        following = []
        for found in sections(volume, air, z, spacing):
            before = next((t for t in tracks if overlaps(t["last"]["box"], found["box"])), None)
            if before:
                following.append({**before, "last": found, "length": before["length"] + 1})
            else:
                following.append({"first": found, "last": found, "length": 1})
        tracks = following
        long = [t for t in tracks if t["length"] >= needed]
        if long:
            middle = body_middle(volume[z])
            return min(long, key=lambda t: abs(t["last"]["x"] - middle))["first"]["seed"]
    return None


def overlaps(a, b):
    return all(one.start < other.stop and other.start < one.stop for one, other in zip(a, b))


def flood(volume, air, seed, voxel):
    """The lumen at the highest threshold that does not leak: flat indices. Grows by fronts, threshold after threshold."""
    depth, height, width = volume.shape
    top = (seed[0] + 1) * height * width
    flat, open_air = volume.reshape(-1), air.reshape(-1)
    around = np.add.outer(np.array([-width, 0, width]), np.array([-1, 0, 1])).ravel()
    seen = np.zeros(flat.size, bool)
    waiting = {}

    def enter(indices):
        indices = np.unique(indices)
        indices = indices[(indices >= 0) & (indices < top)]
        indices = indices[open_air[indices] & ~seen[indices]]
        if indices.size == 0:
            return
        x, y = indices % width, indices // width % height
        inner = (x > 0) & (y > 0) & (x < width - 1) & (y < height - 1)
        mean = flat[indices].astype(float)
        mean[inner] = flat[indices[inner, None] + around].sum(axis=1, dtype=float) / 9
        level = np.maximum(0, np.ceil((mean + 1000) / 10)).astype(int)
        near = level <= 25
        seen[indices[near]] = True
        for one in np.unique(level[near]):
            waiting.setdefault(int(one), []).append(indices[near][level[near] == one])

    enter(np.array([np.ravel_multi_index(seed, volume.shape)]))
    kept, size, before = [], 0, 0.0
    region = []
    for level in range(26):
        while any(waiting.get(one) for one in range(level + 1)):
            front = np.concatenate([part for one in range(level + 1) for part in waiting.pop(one, [])])
            region.append(front)
            size += front.size
            x, y = front % width, front // width % height
            enter(np.concatenate([
                front[x > 0] - 1, front[x < width - 1] + 1, front[y > 0] - width, front[y < height - 1] + width,
                front - width * height, front + width * height,
            ]))
            if size * voxel > 240:
                break
        after = size * voxel
        if after > 120 or (after - before > max(10, before * 0.5) and before > 15):
            break
        kept, before = list(region), after
    return np.concatenate(kept) if kept else np.empty(0, int)


def ball(spacing, radius):
    reach = [int(radius / s) for s in spacing]
    z, y, x = np.ogrid[tuple(slice(-r, r + 1) for r in reach)]
    return (z * spacing[0]) ** 2 + (y * spacing[1]) ** 2 + (x * spacing[2]) ** 2 <= radius**2


def largest(mask, structure):
    parts, count = ndimage.label(mask, structure)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    return parts == sizes.argmax()


def mark_airways(volume, air, spacing):
    """Takes trachea and wide bronchi out of the candidates, and gives where they and their walls are: a box and its mask."""
    seed = find_trachea(volume, air, spacing)
    if seed is None:
        return None
    lumen = np.unravel_index(flood(volume, air, seed, np.prod(spacing) / 1000), volume.shape)
    margin = [int(np.ceil(4 / s)) for s in spacing]
    box = tuple(slice(max(0, int(c.min()) - m), min(n, int(c.max()) + m + 1)) for c, m, n in zip(lumen, margin, volume.shape))
    mask = np.zeros([s.stop - s.start for s in box], bool)
    mask[tuple(c - s.start for c, s in zip(lumen, box))] = True
    core = ndimage.binary_erosion(mask, ball(spacing, 2), border_value=1)
    wide = largest(ndimage.binary_dilation(core, ball(spacing, 3)) & mask, CORNERS)
    free = air[box] | ~mask
    airway = wide | (ndimage.binary_dilation(wide, ball(spacing, 1.8)) & free)
    air[box] &= ~airway
    return box, airway


def select_lungs(volume, air, spacing):
    """Labels 1 (left) and 2 (right): the two largest components of lung density that lie side by side."""
    parts, count = ndimage.label(air, FACES)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    boxes = ndimage.find_objects(parts)
    order = np.argsort(sizes)[::-1][:12]
    voxel = np.prod(spacing) / 1000
    found = []
    for index in order:
        if sizes[index] == 0:
            continue
        mask = parts[boxes[index - 1]] == index
        mean = volume[boxes[index - 1]][mask].mean(dtype=float)
        x = boxes[index - 1][2].start + (mask.sum(axis=(0, 1)) * np.arange(mask.shape[2])).sum() / mask.sum()
        if -960 <= mean <= -500:
            found.append({"index": index, "voxels": sizes[index], "box": boxes[index - 1], "x": x})
    if not found or found[0]["voxels"] * voxel < 250:
        raise SystemExit("refused: no lungs")
    main = found[0]
    other = next((o for o in found[1:] if beside(main, o)), None)
    if other is None or other["voxels"] < 0.15 * main["voxels"]:
        raise SystemExit("refused: the lungs are joined, or there is one")
    left, right = (main, other) if main["x"] > other["x"] else (other, main)
    to = np.zeros(count + 1, np.uint8)
    to[left["index"]], to[right["index"]] = 1, 2
    return to[parts], [left["box"], right["box"]]


def beside(one, other):
    (z1, _, x1), (z2, _, _) = one["box"], other["box"]
    overlap = min(z1.stop, z2.stop) - max(z1.start, z2.start)
    if overlap <= min(z1.stop - z1.start, z2.stop - z2.start) / 2:
        return False
    return other["x"] < x1.start + (one["x"] - x1.start) / 2 or other["x"] > one["x"] + (x1.stop - one["x"]) / 2


def fill_holes(labels, side, box):
    wider = (box[0], *(slice(max(0, s.start - 1), min(n, s.stop + 1)) for s, n in zip(box[1:], labels.shape[1:])))
    view = labels[wider]
    parts, count = ndimage.label(view == 0, FACES)
    open_parts = np.zeros(count + 1, bool)
    for axis in range(3):
        for end in (0, -1):
            open_parts[np.take(parts, end, axis)] = True
    open_parts[0] = True
    view[~open_parts[parts]] = side


def close_lung(labels, side, box, spacing, radius=6.0):
    view = labels[box]
    margin = int(np.ceil(radius / min(spacing[1:]))) + 1
    for plane in view:
        mask = np.pad(plane == side, margin)
        if not mask.any():
            continue
        grown = ndimage.distance_transform_edt(~mask, sampling=spacing[1:]) <= radius
        closed = ndimage.distance_transform_edt(grown, sampling=spacing[1:]) > radius
        plane[closed[margin:-margin, margin:-margin] & (plane == 0)] = side


def tidy_lung(volume, labels, side, box):
    view, density = labels[box], volume[box]
    for plane, hu in zip(view, density):
        parts, count = ndimage.label(plane == side)
        if count == 0:
            continue
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        air = np.bincount(parts[hu <= AIR], minlength=count + 1)
        dropped = air < sizes * 0.5
        dropped[0] = False
        plane[dropped[parts]] = 0
    mask = view == side
    view[mask & ~largest(mask, CORNERS)] = 0


def check_ends(labels):
    areas = ((labels == 1) | (labels == 2)).sum(axis=(1, 2))
    if max(areas[0], areas[-1]) > areas.max() * 0.25:
        raise SystemExit("refused: the scan cuts the lungs off")


def find_lungs(volume, air, spacing):
    remove_outside_air(volume, air)
    airways = mark_airways(volume, air, spacing)
    labels, boxes = select_lungs(volume, air, spacing)
    if airways:
        box, mask = airways
        labels[box][mask & (labels[box] == 0)] = 3
    for side, box in zip((1, 2), boxes):
        fill_holes(labels, side, box)
        close_lung(labels, side, box, spacing)
        fill_holes(labels, side, box)
        tidy_lung(volume, labels, side, box)
    labels[labels == 3] = 0
    check_ends(labels)
    return labels


def measure(volume, labels, spacing):
    """(id, name, code, scheme, meaning, unit, unit's meaning, value) of both lungs and of each."""
    voxel = np.prod(spacing) / 1e6
    findings = []
    values = [volume[labels == side] for side in (1, 2)]
    for name, found in (("total", np.concatenate(values)), ("left", values[0]), ("right", values[1])):
        at = max(1, int(np.ceil(found.size * 0.15))) - 1
        findings += [
            (f"volume-{name}", "118565006", "SCT", "Volume", "L", "liter", found.size * voxel),
            (f"mean-density-{name}", "112181", "DCM", "Mean Attenuation Coefficient", "[hnsf'U]", "Hounsfield unit", found.mean(dtype=float)),
            (f"perc15-{name}", "PERC15", "99HILUM", "15th percentile lung density", "[hnsf'U]", "Hounsfield unit", float(np.partition(found, at)[at])),
            (f"laa950-{name}", "LAA950", "99HILUM", "Lung volume fraction below -950 HU (LAA-950)", "%", "Percent", 100 * float((found < -950).mean())),
        ]
    return findings


def item(**attributes):
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, Sequence(value) if isinstance(value, list) and value and isinstance(value[0], Dataset) else value)
    return dataset


def code(value, scheme, meaning):
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def result(header, sop_class, modality, number, description):
    """A result object with the patient and the study of a header."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
                    "AccessionNumber", "ReferringPhysicianName", "StudyID", "StudyDescription"):
        setattr(dataset, keyword, header.get(keyword, ""))
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    dataset.SeriesInstanceUID, dataset.Modality, dataset.SeriesNumber = generate_uid(), modality, number
    dataset.SeriesDescription, dataset.InstanceNumber, dataset.Manufacturer = description, 1, "Bench"
    dataset.ManufacturerModelName, dataset.DeviceSerialNumber, dataset.SoftwareVersions = "bench", "1", "1"
    dataset.ContentDate = dataset.SeriesDate = time.strftime("%Y%m%d")
    dataset.ContentTime = dataset.SeriesTime = time.strftime("%H%M%S")
    return dataset


SEGMENTS = ((1, "44029006", "Left lung", [43803, 26565, 45000]), (2, "3341006", "Right lung", [43803, 26565, 25000]))


def write_segmentation(headers, labels, spacing, file):
    seg = result(headers[0], "1.2.840.10008.5.1.4.1.1.66.4", "SEG", 900, "CT lung density: segmentation")
    seg.ImageType = ["DERIVED", "PRIMARY"]
    seg.FrameOfReferenceUID, seg.PositionReferenceIndicator = headers[0].FrameOfReferenceUID, ""
    seg.SamplesPerPixel, seg.PhotometricInterpretation = 1, "MONOCHROME2"
    seg.Rows, seg.Columns = labels.shape[1:]
    seg.BitsAllocated = seg.BitsStored = 1
    seg.HighBit, seg.PixelRepresentation, seg.LossyImageCompression = 0, 0, "00"
    seg.SegmentationType, seg.ContentLabel, seg.ContentDescription, seg.ContentCreatorName = "BINARY", "LUNGS", "Lungs", ""
    seg.SegmentSequence = Sequence([
        item(
            SegmentNumber=number, SegmentLabel=label, SegmentAlgorithmType="AUTOMATIC", SegmentAlgorithmName="ct-lung-density",
            RecommendedDisplayCIELabValue=colour, TrackingID=label, TrackingUID=generate_uid(),
            SegmentedPropertyCategoryCodeSequence=[code("123037004", "SCT", "Anatomical Structure")],
            SegmentedPropertyTypeCodeSequence=[code(value, "SCT", label)],
        )
        for number, value, label, colour in SEGMENTS
    ])
    organization = generate_uid()
    seg.DimensionOrganizationSequence = Sequence([item(DimensionOrganizationUID=organization)])
    seg.DimensionIndexSequence = Sequence([
        item(DimensionOrganizationUID=organization, DimensionIndexPointer=0x0062000B, FunctionalGroupPointer=0x0062000A),
        item(DimensionOrganizationUID=organization, DimensionIndexPointer=0x00200032, FunctionalGroupPointer=0x00209113),
    ])
    seg.SharedFunctionalGroupsSequence = Sequence([item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=headers[0].ImageOrientationPatient)],
        PixelMeasuresSequence=[item(PixelSpacing=headers[0].PixelSpacing, SliceThickness=headers[0].SliceThickness, SpacingBetweenSlices=f"{spacing[0]:.6g}")],
    )])
    seg.ReferencedSeriesSequence = Sequence([item(
        SeriesInstanceUID=headers[0].SeriesInstanceUID,
        ReferencedInstanceSequence=[item(ReferencedSOPClassUID=h.SOPClassUID, ReferencedSOPInstanceUID=h.SOPInstanceUID) for h in headers],
    )])
    frames = [(number, z) for number, *_ in SEGMENTS for z in np.flatnonzero((labels == number).any(axis=(1, 2)))]
    pixels = labels.shape[1] * labels.shape[2]
    if pixels % 8:
        raise SystemExit("frames that do not end with a byte are not written here")
    bits = np.empty((len(frames), pixels // 8), np.uint8)
    groups = []
    for index, (number, z) in enumerate(frames):
        bits[index] = np.packbits((labels[z] == number).reshape(-1), bitorder="little")
        source = headers[z]
        groups.append(item(
            FrameContentSequence=[item(DimensionIndexValues=[number, int(z) + 1])],
            PlanePositionSequence=[item(ImagePositionPatient=source.ImagePositionPatient)],
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)],
            DerivationImageSequence=[item(
                DerivationCodeSequence=[code("113076", "DCM", "Segmentation")],
                SourceImageSequence=[item(
                    ReferencedSOPClassUID=source.SOPClassUID, ReferencedSOPInstanceUID=source.SOPInstanceUID,
                    PurposeOfReferenceCodeSequence=[code("121322", "DCM", "Source image for image processing operation")],
                )],
            )],
        ))
    seg.PerFrameFunctionalGroupsSequence = Sequence(groups)
    seg.NumberOfFrames = len(frames)
    seg.PixelData = bits.data.cast("B", (bits.size,)).tobytes() if bits.size % 2 == 0 else bits.tobytes() + b"\0"
    del bits
    seg.save_as(file, write_like_original=False)
    return seg


def content(relation, kind, name, **rest):
    return item(RelationshipType=relation, ValueType=kind, ConceptNameCodeSequence=[name], **rest)


def write_report(headers, seg, findings, file):
    sr = result(headers[0], "1.2.840.10008.5.1.4.1.1.88.34", "SR", 901, "CT lung density: measurements")
    sr.CompletionFlag, sr.VerificationFlag, sr.PreliminaryFlag = "COMPLETE", "UNVERIFIED", "PRELIMINARY"
    sr.PerformedProcedureCodeSequence, sr.ReferencedPerformedProcedureStepSequence = Sequence([]), Sequence([])
    reference = lambda d: item(ReferencedSOPClassUID=d.SOPClassUID, ReferencedSOPInstanceUID=d.SOPInstanceUID)
    sr.CurrentRequestedProcedureEvidenceSequence = Sequence([item(
        StudyInstanceUID=headers[0].StudyInstanceUID,
        ReferencedSeriesSequence=[
            item(SeriesInstanceUID=headers[0].SeriesInstanceUID, ReferencedSOPSequence=[reference(h) for h in headers]),
            item(SeriesInstanceUID=seg.SeriesInstanceUID, ReferencedSOPSequence=[reference(seg)]),
        ],
    )])
    groups = []
    for place, number, site in (("total", None, code("39607008", "SCT", "Lung")), ("left", 1, code("44029006", "SCT", "Left lung")), ("right", 2, code("3341006", "SCT", "Right lung"))):
        children = [
            content("HAS OBS CONTEXT", "TEXT", code("112039", "DCM", "Tracking Identifier"), TextValue=place),
            content("HAS OBS CONTEXT", "UIDREF", code("112040", "DCM", "Tracking Unique Identifier"), UID=generate_uid()),
            content("CONTAINS", "CODE", code("121071", "DCM", "Finding"), ConceptCodeSequence=[site]),
        ]
        if number:
            segment = reference(seg)
            segment.ReferencedSegmentNumber = number
            children.append(content("CONTAINS", "IMAGE", code("121191", "DCM", "Referenced Segment"), ReferencedSOPSequence=[segment]))
        for identifier, value, scheme, meaning, unit, words, amount in findings:
            if identifier.endswith(place):
                children.append(content(
                    "CONTAINS", "NUM", code(value, scheme, meaning),
                    MeasuredValueSequence=[item(NumericValue=f"{amount:.6g}", FloatingPointValue=float(amount), MeasurementUnitsCodeSequence=[code(unit, "UCUM", words)])],
                ))
        groups.append(content("CONTAINS", "CONTAINER", code("125007", "DCM", "Measurement Group"), ContinuityOfContent="SEPARATE", ContentSequence=children))
    sr.ValueType, sr.ContinuityOfContent = "CONTAINER", "SEPARATE"
    sr.ConceptNameCodeSequence = Sequence([code("126000", "DCM", "Imaging Measurement Report")])
    sr.ContentTemplateSequence = Sequence([item(MappingResource="DCMR", TemplateIdentifier="1500")])
    sr.ContentSequence = Sequence([
        content("HAS CONCEPT MOD", "CODE", code("121049", "DCM", "Language of Content Item and Descendants"), ConceptCodeSequence=[code("en", "RFC5646", "English")]),
        content("CONTAINS", "CONTAINER", code("126010", "DCM", "Imaging Measurements"), ContinuityOfContent="SEPARATE", ContentSequence=groups),
    ])
    sr.save_as(file, write_like_original=False)


def main(folder, out, model, script, threads):
    headers, volume, spacing = read(folder)
    air, seconds = run_model(volume, model, script, threads)
    labels = find_lungs(volume, air, spacing)
    del air
    findings = measure(volume, labels, spacing)
    del volume
    seg = write_segmentation(headers, labels, spacing, f"{out}/segmentation.dcm")
    write_report(headers, seg, findings, f"{out}/measurements.dcm")
    print(json.dumps({"model": seconds, "findings": {name: value for name, *_, value in findings}}))


if __name__ == "__main__":
    main(*sys.argv[1:])
