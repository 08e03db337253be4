"""C-FIND and C-GET with odil.

query.py PORT STUDY_INSTANCE_UID: prints the study's modalities, and what came by C-GET, as JSON.
"""
import json
import sys

import odil


def main(port, study):
    association = odil.Association()
    association.set_peer_host("127.0.0.1")
    association.set_peer_port(int(port))
    parameters = odil.AssociationParameters()
    parameters.set_calling_ae_title("ODIL")
    parameters.set_called_ae_title("HILUM")
    context = odil.AssociationParameters.PresentationContext
    syntaxes = ["1.2.840.10008.1.2.1"]
    parameters.set_presentation_contexts([
        context(1, odil.registry.StudyRootQueryRetrieveInformationModelFind, syntaxes, context.Role.SCU),
        context(3, odil.registry.StudyRootQueryRetrieveInformationModelGet, syntaxes, context.Role.SCU),
        context(5, odil.registry.CTImageStorage, syntaxes, context.Role.SCP),
    ])
    association.set_parameters(parameters)
    association.associate()

    keys = odil.DataSet()
    keys.add("QueryRetrieveLevel", ["STUDY"])
    keys.add("StudyInstanceUID", [study])
    keys.add("PatientName")
    keys.add("ModalitiesInStudy")
    find = odil.FindSCU(association)
    find.set_affected_sop_class(odil.registry.StudyRootQueryRetrieveInformationModelFind)
    matches = find.find(keys)

    keys = odil.DataSet()
    keys.add("QueryRetrieveLevel", ["STUDY"])
    keys.add("StudyInstanceUID", [study])
    get = odil.GetSCU(association)
    get.set_affected_sop_class(odil.registry.StudyRootQueryRetrieveInformationModelGet)
    instances = get.get(keys)
    association.release()

    text = lambda data_set, name: [value.decode() for value in data_set.as_string(name)]
    print(json.dumps({
        "modalities": [text(match, "ModalitiesInStudy") for match in matches],
        "instances": sorted(text(instance, "SOPInstanceUID")[0] for instance in instances),
    }))


main(*sys.argv[1:])
