"""What odil does as a client: reads tasks as JSON from standard input, one [name, arguments...] each, and prints the outcomes as JSON: true, or a
reason.

odil_client.py PORT
"""
import json
import os
import sys

import odil

SYNTAXES = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
MPPS = "1.2.840.10008.3.1.2.3.3"
AVAILABILITY = "1.2.840.10008.5.1.4.33"
MODELS = {
    "find-PATIENT": odil.registry.PatientRootQueryRetrieveInformationModelFind,
    "find-STUDY": odil.registry.StudyRootQueryRetrieveInformationModelFind,
    "move": odil.registry.StudyRootQueryRetrieveInformationModelMove,
    "get": odil.registry.StudyRootQueryRetrieveInformationModelGet,
}
PORT = int(sys.argv[1])
Context = odil.AssociationParameters.PresentationContext


def associate(*contexts, called="HILUM", calling="ODIL", identity=None):
    association = odil.Association()
    association.set_peer_host("127.0.0.1")
    association.set_peer_port(PORT)
    parameters = odil.AssociationParameters()
    parameters.set_calling_ae_title(calling)
    parameters.set_called_ae_title(called)
    parameters.set_presentation_contexts(
        [Context(2 * n + 1, *context) for n, context in enumerate(contexts)])
    if identity:
        parameters.set_user_identity_to_username_and_password(*identity)
    association.set_parameters(parameters)
    association.associate()
    return association


def scu(sop_class, syntaxes=SYNTAXES):
    return sop_class, syntaxes, Context.Role.SCU


def data_set(**elements):
    made = odil.DataSet()
    for name, value in elements.items():
        made.add(name, value if isinstance(value, list) else [value])
    return made


def text(elements, name):
    return elements.as_string(name)[0].decode()


def echo(called="HILUM", identity=None):
    association = associate(scu(odil.registry.Verification), called=called, identity=identity)
    odil.EchoSCU(association).echo()
    association.release()
    return True


def store(file):
    with odil.open(file) as stream:
        meta, instance = odil.Reader.read_file(stream)
    association = associate(scu(text(instance, "SOPClassUID"), [text(meta, "TransferSyntaxUID")]))
    client = odil.StoreSCU(association)
    client.set_affected_sop_class(instance)
    client.store(instance)
    association.release()
    return True


def find(level, patient, study, calling="ODIL"):
    model = MODELS["find-" + level]
    association = associate(scu(model), calling=calling)
    client = odil.FindSCU(association)
    client.set_affected_sop_class(model)
    keys = {"QueryRetrieveLevel": level, "PatientID": patient, "PatientName": []}
    if level == "STUDY":
        keys["StudyInstanceUID"] = []
    matches = client.find(data_set(**keys))
    association.release()
    if level == "PATIENT":
        return [text(match, "PatientID") for match in matches] == [patient]
    return [text(match, "StudyInstanceUID") for match in matches] == [study]


def keys_of(study, series):
    keys = {"QueryRetrieveLevel": "SERIES" if series else "STUDY", "StudyInstanceUID": study}
    if series:
        keys["SeriesInstanceUID"] = series
    return data_set(**keys)


def move(destination, study, series):
    """To another one: odil's own receiver closes and opens its port while it waits, and misses what comes meanwhile."""
    association = associate(scu(MODELS["move"]))
    client = odil.MoveSCU(association)
    client.set_affected_sop_class(MODELS["move"])
    client.set_move_destination(destination)
    client.set_incoming_port(0)
    client.move(keys_of(study, series))
    association.release()
    return True


def get(study, series, pairs, out=None):
    """pairs: SOP class and transfer syntax."""
    storage = [(sop_class, [syntax], Context.Role.SCP) for sop_class, syntax in pairs]
    association = associate(scu(MODELS["get"]), *storage)
    client = odil.GetSCU(association)
    client.set_affected_sop_class(MODELS["get"])
    instances = client.get(keys_of(study, series))
    association.release()
    for number, instance in enumerate(instances if out else []):
        with odil.open(os.path.join(out, f"{len(os.listdir(out))}.dcm"), "wb") as stream:
            odil.Writer.write_file(instance, stream, transfer_syntax=instance.get_transfer_syntax())
    return [text(instance, "SOPInstanceUID") for instance in instances]


def request(association, sop_class, field, attributes, **command):
    elements = data_set(CommandField=field, MessageID=association.next_message_id(), CommandDataSetType=1, **command)
    association.send_message(odil.messages.Message(elements, attributes), sop_class)
    return association.receive_message().get_command_set().as_int("Status")[0]


def mpps(uid, study):
    association = associate(scu(MPPS))
    step = data_set(PerformedProcedureStepStatus="IN PROGRESS")
    step.add("ScheduledStepAttributesSequence", [data_set(StudyInstanceUID=study)])
    created = request(association, MPPS, 0x0140, step, AffectedSOPClassUID=MPPS, AffectedSOPInstanceUID=uid)
    done = data_set(PerformedProcedureStepStatus="COMPLETED")
    ended = request(association, MPPS, 0x0120, done, RequestedSOPClassUID=MPPS, RequestedSOPInstanceUID=uid)
    association.release()
    return [created, ended] == [0, 0]


def availability(study, sop_class, instance):
    association = associate(scu(AVAILABILITY))
    item = data_set(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=instance, InstanceAvailability="ONLINE")
    series = data_set(SeriesInstanceUID=study + ".1")
    series.add("ReferencedSOPSequence", [item])
    notification = data_set(StudyInstanceUID=study)
    notification.add("ReferencedSeriesSequence", [series])
    status = request(association, AVAILABILITY, 0x0140, notification, AffectedSOPClassUID=AVAILABILITY)
    association.release()
    return status == 0


TASKS = {
    "echo": echo, "store": store, "find": find, "move": move, "get": get, "mpps": mpps, "availability": availability,
}


def outcome(name, *arguments):
    try:
        return {"value": TASKS[name](*arguments)}
    except Exception as error:
        return {"error": f"{type(error).__name__} {error}".strip()}


print(json.dumps([outcome(*task) for task in json.load(sys.stdin)]))
