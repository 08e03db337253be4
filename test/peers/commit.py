"""Storage commitment with odil: asks over one association, and waits on it for the report.

commit.py PORT TRANSACTION_UID CLASS INSTANCE [CLASS INSTANCE ...]: prints the statuses and the report as JSON.
"""
import json
import sys

import odil

PUSH_MODEL = "1.2.840.10008.1.20.1"
SYNTAXES = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]


def main(port, transaction, *references):
    association = odil.Association()
    association.set_peer_host("127.0.0.1")
    association.set_peer_port(int(port))
    parameters = odil.AssociationParameters()
    parameters.set_calling_ae_title("ODIL")
    parameters.set_called_ae_title("HILUM")
    context = odil.AssociationParameters.PresentationContext
    parameters.set_presentation_contexts(
        [context(1, PUSH_MODEL, SYNTAXES, context.Role.SCU)])
    association.set_parameters(parameters)
    association.associate()

    sequence = []
    for sop_class, sop_instance in zip(references[::2], references[1::2]):
        item = odil.DataSet()
        item.add("ReferencedSOPClassUID", [sop_class])
        item.add("ReferencedSOPInstanceUID", [sop_instance])
        sequence.append(item)
    data_set = odil.DataSet()
    data_set.add("TransactionUID", [transaction])
    data_set.add("ReferencedSOPSequence", sequence)
    command = odil.DataSet()
    command.add("RequestedSOPClassUID", [PUSH_MODEL])
    command.add("CommandField", [0x0130])
    command.add("MessageID", [association.next_message_id()])
    command.add("CommandDataSetType", [0x0001])
    command.add("RequestedSOPInstanceUID", [PUSH_MODEL + ".1"])
    command.add("ActionTypeID", [1])
    association.send_message(odil.messages.Message(command, data_set), PUSH_MODEL)
    response = association.receive_message()
    status = response.get_command_set().as_int("Status")[0]

    report = association.receive_message()
    asked, content = report.get_command_set(), report.get_data_set()
    answer = odil.DataSet()
    answer.add("AffectedSOPClassUID", [PUSH_MODEL])
    answer.add("CommandField", [0x8100])
    answer.add("MessageIDBeingRespondedTo", [asked.as_int("MessageID")[0]])
    answer.add("CommandDataSetType", [0x0101])
    answer.add("Status", [0])
    answer.add("AffectedSOPInstanceUID", [PUSH_MODEL + ".1"])
    answer.add("EventTypeID", [asked.as_int("EventTypeID")[0]])
    association.send_message(odil.messages.Message(answer), PUSH_MODEL)
    association.release()

    def uids(name):
        items = content.as_data_set(name) if content.has(name) else []
        return [item.as_string("ReferencedSOPInstanceUID")[0].decode() for item in items]

    print(json.dumps({
        "status": status,
        "event": asked.as_int("EventTypeID")[0],
        "transaction": content.as_string("TransactionUID")[0].decode(),
        "committed": uids("ReferencedSOPSequence"),
        "failed": uids("FailedSOPSequence"),
    }))


main(*sys.argv[1:])
